import { FarmError, toFarmError, type Instant, type Log } from "../../base/index.ts";
import type { ResyncPart } from "../../doctor/index.ts";
import type { HostProof } from "../../replica/index.ts";
import type { SelfProof } from "../self-proof.ts";
import { beginFault, NODE_DRILLS, type BegunFault, type FaultParts } from "./begin-fault.ts";
import { DRILL_NAMES, type DrillOrder, type DrillState } from "./types.ts";

/** Runs drills on this node: one at a time, each for a bounded time. */
export interface DrillRunner {
  /** @throws DRILL_RUNS, DRILL_NOT_POSSIBLE, DRILL_UNKNOWN, and what putting the fault in throws */
  start(order: DrillOrder): Promise<DrillState>;
  /** Ends the drill of this id, or whichever runs. What is over already stays as it is. */
  stop(id?: string): Promise<readonly DrillState[]>;
  /** The newest last. */
  show(): readonly DrillState[];
  /** A part of the node is to be done again: a drill that this mends is over. */
  redone(part: ResyncPart): Promise<void>;
  /** Looks at proofs and table: what was noticed, what is over. Cheap. */
  look(): void;
  close(): Promise<void>;
}

/** What the runner works with. */
export interface DrillRunnerParts extends FaultParts {
  readonly log: Log;
  readonly proof: Pick<SelfProof, "proofOf" | "recheck">;
}

const KEPT = 20;
const MIN_MS = 1_000;
const MAX_MS = 3_600_000;

interface Running {
  readonly fault: BegunFault;
  readonly timer: NodeJS.Timeout;
}

/** A runner without a drill. */
export function createDrillRunner(parts: DrillRunnerParts): DrillRunner {
  return new Runner(parts);
}

class Runner implements DrillRunner {
  readonly #parts: DrillRunnerParts;
  readonly #states: DrillState[] = [];
  #running: Running | undefined;
  #busy: Promise<unknown> = Promise.resolve();

  constructor(parts: DrillRunnerParts) {
    this.#parts = parts;
  }

  start(order: DrillOrder): Promise<DrillState> {
    return this.#exclusively(() => this.#begin(order));
  }

  stop(id?: string): Promise<readonly DrillState[]> {
    return this.#exclusively(async () => {
      if (id === undefined || this.#states.at(-1)?.id === id) await this.#end("stopped");
      return this.show();
    });
  }

  show(): readonly DrillState[] {
    return [...this.#states];
  }

  redone(part: ResyncPart): Promise<void> {
    return this.#exclusively(async () => {
      const current = this.#states.at(-1);
      if (current !== undefined && NODE_DRILLS[current.drill].endsWith === part) await this.#end(`resync ${part}`);
    });
  }

  look(): void {
    const current = this.#states.at(-1);
    if (current === undefined) return;
    const { reconciler, proof, clock } = this.#parts;
    if (this.#running !== undefined && NODE_DRILLS[current.drill].inTable === true && !reconciler.isHeld) {
      this.#exclusively(() => this.#end("the table was edited")).catch(ignore);
      return;
    }
    const more = seen(current, proof.proofOf(current.host, current.port), clock.now());
    if (more !== undefined) this.#change(more);
  }

  close(): Promise<void> {
    return this.#exclusively(() => this.#end("the node ended"));
  }

  async #begin(order: DrillOrder): Promise<DrillState> {
    const { clock, log } = this.#parts;
    const { id, drill, host, port } = order;
    if (!DRILL_NAMES.includes(drill)) throw new FarmError("DRILL_UNKNOWN", `there is no drill ${JSON.stringify(drill).slice(0, 100)}`);
    const last = this.#states.at(-1);
    if (this.#running !== undefined && last !== undefined)
      throw new FarmError("DRILL_RUNS", `the drill ${last.drill} runs on this node already`, { facts: { drill: last.drill } });
    const forMs = Math.min(Math.max(order.forMs, MIN_MS), MAX_MS);
    const startedAt = clock.now();
    const fault = await beginFault(this.#parts, order);
    const timer = setTimeout(() => void this.#exclusively(() => this.#end("its time was over")), forMs);
    this.#running = { fault, timer: timer.unref() };
    const state: DrillState = { id, drill, host, port, forMs, startedAt, did: fault.did };
    this.#states.push(state);
    this.#states.splice(0, this.#states.length - KEPT);
    log.warn("a drill begins", { drill, host, did: fault.did });
    this.#recheck(state);
    return state;
  }

  async #end(because: string): Promise<void> {
    const current = this.#states.at(-1);
    if (this.#running === undefined || current === undefined) return;
    const { clock, log } = this.#parts;
    const { fault, timer } = this.#running;
    this.#running = undefined;
    clearTimeout(timer);
    await fault.end().catch((error: unknown) => {
      log.error("the end of a drill failed", { drill: current.drill, problem: toFarmError(error).message });
    });
    this.#change({ endedAt: clock.now(), endedBy: because });
    log.warn("a drill is over", { drill: current.drill, host: current.host, because });
    this.#recheck(current);
  }

  #change(more: Partial<DrillState>): void {
    const last = this.#states.pop();
    if (last !== undefined) this.#states.push({ ...last, ...more });
  }

  #recheck({ drill, host, port }: DrillOrder): void {
    this.#parts.proof.recheck(host, port, NODE_DRILLS[drill].wide === true);
  }

  /** Beginnings and ends never overlap. */
  #exclusively<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#busy.then(work);
    this.#busy = done.catch(ignore);
    return done;
  }
}

/** What a proof of the host tells of a drill that was not known before. */
function seen(state: DrillState, proof: HostProof | undefined, now: Instant): Partial<DrillState> | undefined {
  const { endedAt, noticedAt, mendedAt } = state;
  if (proof?.verdict === "failed" && endedAt === undefined && noticedAt === undefined) return { noticedAt: now };
  // A proof from before the end says nothing of what came after it.
  if (proof?.verdict === "proved" && endedAt !== undefined && mendedAt === undefined && (proof.at ?? 0) >= endedAt)
    return { mendedAt: now };
  return undefined;
}

function ignore(): void {
  // The one who asked has the outcome; the queue only needs the order.
}
