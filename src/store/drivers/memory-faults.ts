import { FarmError, type Clock } from "../../base/index.ts";

/** A call that is about to be made, for fault injection. */
export interface MemoryCall {
  readonly verb: "read" | "write" | "remove" | "list" | "putBlob" | "getBlob" | "names" | "walk" | "stat" | "open" | "put";
  /** Key, prefix, digest or path. */
  readonly target: string;
}

/** `unavailable`: nothing is sent. `unknown-lost` and `unknown-applied` (writes only): the outcome cannot be told; what it was. */
export type MemoryFault = "unavailable" | "unknown-lost" | "unknown-applied";

/** Decides the fate of a call; undefined = it goes through. */
export type FaultPlan = (call: MemoryCall) => MemoryFault | undefined;

/** What a handle passes to its parts. */
export interface MemoryShared {
  readonly clock: Clock;
  readonly faults: FaultPlan;
  readonly closed: AbortSignal;
}

/** Throws what the fault plan or a closed handle asks for; returns true when the caller must apply and then say "unknown". */
export function beginCall(shared: MemoryShared, call: MemoryCall): boolean {
  if (shared.closed.aborted) throw new FarmError("STORE_UNAVAILABLE", "the memory store is closed");
  const fault = shared.faults(call);
  if (fault === "unavailable") throw new FarmError("STORE_UNAVAILABLE", `memory store: ${call.verb} ${call.target} was not sent`);
  if (fault === "unknown-lost") throw unknownOutcome(call);
  return fault === "unknown-applied";
}

/** What a write throws whose answer was lost. */
export const unknownOutcome = (call: MemoryCall): FarmError =>
  new FarmError("STORE_UNKNOWN", `memory store: ${call.verb} ${call.target} was sent, but no answer came`);
