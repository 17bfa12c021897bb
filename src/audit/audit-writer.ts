import { AsyncLocalStorage } from "node:async_hooks";

import { ERRORS, toFarmError } from "../base/index.ts";
import { shortText, type AuditCaller, type AuditOutcome } from "./audit-entry.ts";
import type { AuditDraft, Chain, ChainParts } from "./chain.ts";
import { BOUNDS, lagOf, requireRoom, tidyChain, type AuditBounds, type KeepSegment } from "./tidy-chain.ts";

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

/** What a trail is made with. */
export interface AuditTrailParts extends ChainParts {
  /** Of this process, for what no caller asked for. */
  readonly self: string;
  /** Keeps old segments; absent = the store keeps more, and then refuses changes. */
  readonly keep?: KeepSegment;
  readonly bounds?: AuditBounds;
}

const MAX_LEFT = 64;
/** Packing goes on beside the writing, and the writing waits for it when it lags so many entries behind. */
const MAX_LAG = 256;

/** Writes changes into the chain, each before it is begun and when it has ended. */
export class AuditWriter {
  readonly #parts: AuditTrailParts;
  readonly #chain: Chain;
  readonly #bounds: AuditBounds;
  readonly #inside = new AsyncLocalStorage<{ readonly seq: number; readonly caller: AuditCaller }>();
  /** Ends that the store did not take when they came. */
  readonly #left: AuditDraft[] = [];
  #tidying: Promise<void> | undefined;

  constructor(parts: AuditTrailParts, chain: Chain) {
    this.#parts = parts;
    this.#chain = chain;
    this.#bounds = parts.bounds ?? BOUNDS;
  }

  async change<T>(
    change: AuditedChange,
    work: () => Promise<T>,
    endOf: (result: T) => AuditedEnd = () => ({ outcome: "done" }),
  ): Promise<T> {
    await this.#prepare();
    const begun = this.#draft(change);
    const { seq } = await this.#chain.append({ ...begun, phase: "begun" });
    try {
      const result = await this.#inside.run({ seq, caller: begun.caller }, work);
      await this.#writeEnd(begun, seq, endOf(result));
      return result;
    } catch (error) {
      await this.#writeEnd(begun, seq, endOfError(error));
      throw error;
    } finally {
      void this.#tidy();
    }
  }

  async note(change: AuditedChange, end: AuditedEnd): Promise<void> {
    await this.#prepare();
    await this.#chain.append({ ...this.#draft(change), phase: "noted", ...shortEnd(end) });
    void this.#tidy();
  }

  #draft({ action, target, caller }: AuditedChange): Omit<AuditDraft, "phase"> {
    const part = this.#inside.getStore();
    const { name, role, by } = caller ?? part?.caller ?? { name: this.#parts.self, role: "admin", by: "local" };
    return {
      caller: { name: shortText(name), role: shortText(role), by: shortText(by) },
      action: shortText(action),
      target: shortText(target),
      ...(part === undefined ? {} : { of: part.seq }),
    };
  }

  async #prepare(): Promise<void> {
    const { seen } = this.#chain;
    if (seen !== undefined && lagOf(seen, this.#bounds) > MAX_LAG) await this.#tidy();
    if (seen !== undefined) requireRoom(this.#chain.seen ?? seen, this.#bounds);
    for (let end = this.#left.shift(); end !== undefined; end = this.#left.shift()) {
      const one = end;
      await this.#chain.append(one).catch((error: unknown) => {
        this.#left.unshift(one);
        throw error;
      });
    }
  }

  #tidy(): Promise<void> {
    const { keep } = this.#parts;
    this.#tidying ??= this.#inside
      .exit(() => tidyChain(this.#chain, { parts: this.#parts, bounds: this.#bounds, keep }))
      .finally(() => {
        this.#tidying = undefined;
      });
    return this.#tidying;
  }

  async #writeEnd(begun: Omit<AuditDraft, "phase">, seq: number, end: AuditedEnd): Promise<void> {
    const ended: AuditDraft = { ...begun, phase: "ended", of: seq, ...shortEnd(end) };
    try {
      await this.#chain.append(ended);
    } catch (error) {
      // What was done is done: it is told now, and the log is told later.
      if (this.#left.length < MAX_LEFT) this.#left.push(ended);
      this.#parts.log.error("how a change ended could not be written into the audit log; it is tried again with the next change", {
        action: begun.action,
        entry: seq,
        problem: toFarmError(error).message,
      });
    }
  }
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
