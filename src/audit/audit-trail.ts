import { AsyncLocalStorage } from "node:async_hooks";

import { ERRORS, FarmError, toFarmError } from "../base/index.ts";
import { shortText, type AuditCaller, type AuditEntry, type AuditOutcome } from "./audit-entry.ts";
import { Chain, type AuditDraft, type ChainParts } from "./chain.ts";
import type { ChainHead } from "./chain-head.ts";
import { exportLine, type ExportLine } from "./export-line.ts";
import { readChain } from "./read-chain.ts";
import { openEntry, trustIn } from "./sealed-entry.ts";
import { BOUNDS, lagOf, requireRoom, tidyChain, type AuditBounds, type KeepSegment } from "./tidy-chain.ts";
import { verifyChain, type AuditVerdict, type PinnedHead } from "./verify-chain.ts";

/** A change, as the log tells it. */
export interface AuditedChange {
  readonly action: string;
  /** In few words; never a secret. */
  readonly target: string;
  /** Absent = whoever began the change that this is a part of; outside of any, the process itself. */
  readonly caller?: AuditCaller;
}

/** How a change ended that did not throw. */
export interface AuditedEnd {
  readonly outcome: AuditOutcome;
  readonly detail?: string;
}

/** Entries of the log and where it ends. */
export interface AuditPage {
  readonly entries: readonly AuditEntry[];
  readonly head: PinnedHead;
}

/** The log of every change of the farm. */
export interface AuditTrail {
  /**
   * Writes that a change begins, does it, and writes how it ended. Changes inside of it are told as its parts. `endOf` says how it ended when it
   * did not throw. @throws what the store or the work throws: without an entry nothing is begun
   */
  change<T>(change: AuditedChange, work: () => Promise<T>, endOf?: (result: T) => AuditedEnd): Promise<T>;
  /** Writes one entry of what was done. */
  note(change: AuditedChange, end: AuditedEnd): Promise<void>;
  /** The newest ones, or those after `after`; in order. */
  list(request: { readonly after?: number; readonly limit: number }): Promise<AuditPage>;
  /** `pin` = an end that was noted outside of the store. */
  verify(pin?: PinnedHead): Promise<AuditVerdict>;
  /** Every entry that the store holds, in order, each with the octets that digests and signatures are of. */
  export(after?: number): AsyncGenerator<ExportLine>;
}

/** What a trail is made with. */
export interface AuditTrailParts extends ChainParts {
  /** Of this process, for what no caller asked for. */
  readonly self: string;
  /** Keeps old segments; absent = the store keeps more, and then refuses changes. */
  readonly keep?: KeepSegment;
  readonly bounds?: AuditBounds;
}

const MAX_LEFT = 64;

/** The trail over a store's state keys `audit/…`. */
export function createAuditTrail(parts: AuditTrailParts): AuditTrail {
  const { state, signing } = parts;
  const chain = new Chain(parts);
  const writer = createWriter(parts, chain);
  return {
    change: writer.change,
    note: writer.note,
    list: ({ after, limit }) =>
      settled(chain, async (head) => {
        const from = Math.max(head.base.seq, after ?? head.seq - limit);
        const entries: AuditEntry[] = [];
        for await (const { bytes } of readChain(state, head, from)) {
          const opened = bytes === undefined ? undefined : openEntry(bytes, undefined);
          if (opened?.kind === "entry") entries.push(opened.entry);
          if (entries.length >= limit) break;
        }
        return { entries, head: { seq: head.seq, digest: head.digest } };
      }),
    verify(pin) {
      const before = chain.seen;
      return settled(chain, (head) => {
        const pins = [before, pin].filter((one) => one !== undefined && one.seq > head.base.seq) as PinnedHead[]; // without the absent ones
        return verifyChain(readChain(state, head, head.base.seq), { base: head.base, head, pins, trust: trustIn(signing) });
      });
    },
    async *export(after = 0) {
      const head = await chain.head();
      for await (const { bytes, seq } of readChain(state, head, after)) {
        if (bytes === undefined) throw new FarmError("AUDIT_DAMAGED", `entry ${seq} of the audit log is missing`);
        yield exportLine(bytes);
      }
    },
  };
}

const MAX_READS = 5;

/** Reads again when old entries left the store while they were read. */
async function settled<T>(chain: Chain, read: (head: ChainHead) => Promise<T>): Promise<T> {
  for (let reads = 1; ; reads += 1) {
    const head = await chain.head();
    const result = await read(head);
    if (reads >= MAX_READS || (await chain.head()).base.seq === head.base.seq) return result;
  }
}

/** Packing goes on beside the writing, and the writing waits for it when it lags so many entries behind. */
const MAX_LAG = 256;

function createWriter(parts: AuditTrailParts, chain: Chain): Pick<AuditTrail, "change" | "note"> {
  const { bounds = BOUNDS, keep } = parts;
  const inside = new AsyncLocalStorage<{ readonly seq: number; readonly caller: AuditCaller }>();
  const self: AuditCaller = { name: parts.self, role: "admin", by: "local" };
  /** Ends that the store did not take when they came. */
  const left: AuditDraft[] = [];
  let tidying: Promise<void> | undefined;

  const draft = ({ action, target, caller }: AuditedChange): Omit<AuditDraft, "phase"> => {
    const part = inside.getStore();
    const { name, role, by } = caller ?? part?.caller ?? self;
    return {
      caller: { name: shortText(name), role: shortText(role), by: shortText(by) },
      action: shortText(action),
      target: shortText(target),
      ...(part === undefined ? {} : { of: part.seq }),
    };
  };
  const tidyLater = (): Promise<void> => {
    tidying ??= inside
      .exit(() => tidyChain(chain, { parts, bounds, keep }))
      .finally(() => {
        tidying = undefined;
      });
    return tidying;
  };
  const prepare = async (): Promise<void> => {
    const { seen } = chain;
    if (seen !== undefined && lagOf(seen, bounds) > MAX_LAG) await tidyLater();
    if (seen !== undefined) requireRoom(chain.seen ?? seen, bounds);
    for (let end = left.shift(); end !== undefined; end = left.shift()) {
      const one = end;
      await chain.append(one).catch((error: unknown) => {
        left.unshift(one);
        throw error;
      });
    }
  };
  const writeEnd = async (begun: Omit<AuditDraft, "phase">, seq: number, end: AuditedEnd): Promise<void> => {
    const ended: AuditDraft = { ...begun, phase: "ended", of: seq, ...shortEnd(end) };
    await chain.append(ended).catch((error: unknown) => {
      // What was done is done: it is told now, and the log is told later.
      if (left.length < MAX_LEFT) left.push(ended);
      parts.log.error("how a change ended could not be written into the audit log; it is tried again with the next change", {
        action: begun.action,
        entry: seq,
        problem: toFarmError(error).message,
      });
    });
  };
  return {
    async change(change, work, endOf = () => ({ outcome: "done" })) {
      await prepare();
      const begun = draft(change);
      const { seq } = await chain.append({ ...begun, phase: "begun" });
      try {
        const result = await inside.run({ seq, caller: begun.caller }, work);
        await writeEnd(begun, seq, endOf(result));
        return result;
      } catch (error) {
        await writeEnd(begun, seq, endOfError(error));
        throw error;
      } finally {
        void tidyLater();
      }
    },
    async note(change, end) {
      await prepare();
      await chain.append({ ...draft(change), phase: "noted", ...shortEnd(end) });
      void tidyLater();
    },
  };
}

const shortEnd = ({ outcome, detail }: AuditedEnd): AuditedEnd => ({
  outcome,
  ...(detail === undefined ? {} : { detail: shortText(detail) }),
});

/** Refused: an error of the table that says that the call was not right or not allowed. Everything else may have been done in part. */
function endOfError(thrown: unknown): AuditedEnd {
  const { code } = toFarmError(thrown);
  const { status } = ERRORS[code];
  return { outcome: status >= 400 && status < 500 ? "refused" : "failed", detail: code };
}
