import { setTimeout as pause } from "node:timers/promises";

import { balancerSettings, startBalancer, type Balancer, type BalancerOptions, type BalancerSettings } from "../balancer/index.ts";
import { FarmError, systemClock, toFarmError, type Log } from "../base/index.ts";
import type { Signing } from "../identity/index.ts";
import { createDrains, createLastGood, createRevisions, readConfig, type LastGood, type Revision } from "../replica/index.ts";
import type { FarmStore } from "../store/index.ts";

/** What a follower works with. */
export interface FollowerParts {
  readonly store: FarmStore;
  /** Where the last good revision is kept, for starts without the store. */
  readonly dataDir: string;
  readonly log: Log;
  /** Sockets that were bound before the process gave up root. */
  readonly adopt: NonNullable<BalancerOptions["adopt"]>;
  /** With it, only what admins of the farm signed is followed. */
  readonly signing?: Signing | undefined;
  /** Called when a revision was applied. */
  readonly ready: () => void;
}

const RETRY_MS = 2_000;

/** A balancer that follows the store: revisions and drains. What cannot be applied now (a port that another process has) is tried again. */
export class BalancerFollower {
  readonly #parts: FollowerParts;
  readonly #lastGood: LastGood;
  #balancer: Balancer | undefined;
  #drained: readonly string[] = [];
  #newest: Revision | undefined;
  #applying: Promise<void> = Promise.resolve();

  constructor(parts: FollowerParts) {
    this.#parts = parts;
    this.#lastGood = createLastGood({ dataDir: parts.dataDir });
  }

  /** Follows until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#followRevisions(signal), this.#followDrains(signal)]);
    await this.#applying;
  }

  /** @param noticeMs How long its `/readyz` says that it ends before it takes no more connections. */
  async close(noticeMs: number): Promise<void> {
    await this.#balancer?.close({ noticeMs });
  }

  async #followRevisions(signal: AbortSignal): Promise<void> {
    const kept = await this.#lastGood.load();
    if (kept.kind === "found") this.#offer(kept.revision, signal);
    const revisions = createRevisions(this.#parts.store, { clock: systemClock, log: this.#parts.log, signing: this.#parts.signing });
    for await (const revision of revisions.watch(signal)) this.#offer(revision, signal);
  }

  async #followDrains(signal: AbortSignal): Promise<void> {
    for await (const nodes of createDrains(this.#parts.store, { clock: systemClock, signing: this.#parts.signing }).watch(signal)) {
      this.#drained = [...nodes];
      this.#balancer?.setDrained(this.#drained);
    }
  }

  #offer(revision: Revision, signal: AbortSignal): void {
    this.#newest = revision;
    this.#applying = this.#applying.then(() => this.#applyUntilDone(revision, signal));
  }

  /** Tries until it is applied, a newer revision came, or the end. */
  async #applyUntilDone(revision: Revision, signal: AbortSignal): Promise<void> {
    while (revision === this.#newest && !signal.aborted) {
      try {
        return await this.#apply(revision);
      } catch (error) {
        const { code, message } = toFarmError(error);
        this.#parts.log.error("revision not applied", { revision: revision.number, code, problem: message });
        if (code !== "BALANCER_LISTEN_FAILED") return;
      }
      await pause(RETRY_MS, undefined, { signal }).catch(() => undefined); // aborted: the loop's condition ends it
    }
  }

  async #apply(revision: Revision): Promise<void> {
    const settings = await readSettings(revision);
    const { log, adopt } = this.#parts;
    if (this.#balancer === undefined) this.#balancer = await startBalancer({ config: settings, log, clock: systemClock, adopt });
    else await this.#balancer.apply(settings);
    this.#balancer.setDrained(this.#drained);
    this.#parts.log.info("revision applied", { revision: revision.number });
    this.#parts.ready();
    await this.#lastGood.save(revision).catch((error: unknown) => {
      this.#parts.log.error("the balancer's disk cannot be written", { problem: toFarmError(error).message });
    });
  }
}

async function readSettings(revision: Revision): Promise<BalancerSettings> {
  const reading = await readConfig(revision.yaml);
  const settings = reading.kind === "valid" ? balancerSettings(reading.config) : undefined;
  if (settings !== undefined) return settings;
  const problem = reading.kind === "valid" ? "it has no balancer" : "it is not valid";
  throw new FarmError("BALANCER_NOT_CONFIGURED", `revision ${revision.number} cannot be balanced by: ${problem}`);
}
