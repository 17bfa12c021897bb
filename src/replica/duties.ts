import type { Clock, Log } from "../base/index.ts";
import type { FarmStore, Lease } from "../store/index.ts";
import { createConfigDuty, type Judge } from "./config-duty.ts";
import { createContentDuty } from "./content-duty.ts";
import type { DutyPass, PassOutcome } from "./duty-pass.ts";
import { createBackoff, follow, pause } from "./follow.ts";
import { HEAD_PREFIX } from "./revision-keys.ts";
import { createRevisions } from "./revisions.ts";
import { createStaleness } from "./staleness.ts";
import { createTicketKeys } from "./ticket-keys.ts";

/** What one process of the farm at a time does for all of it. */
export interface Duties {
  /** Waits for the duty and does it whenever it has it, until the signal aborts. Never rejects. */
  run(signal: AbortSignal): Promise<void>;
}

/** What the duties need. */
export interface DutiesSettings {
  readonly store: FarmStore;
  /** Name of the process's node, for the log and the revisions it makes. */
  readonly node: string;
  readonly log: Log;
  readonly clock: Clock;
  /** Decides on a saved farm.yaml; at most a minute. */
  readonly judge: Judge;
  /** Told when this process takes the duty, and when it no longer has it. */
  readonly onDuty?: (onDuty: boolean) => void;
  /** @default 10000 */
  readonly leaseTtlMs?: number;
  /** Two looks at content this far apart must agree. @default 1000 */
  readonly settleMs?: number;
  /** @default 12 hours */
  readonly rotateTicketsEveryMs?: number;
}

const LEASE = "duties";
const CONFIG_EVERY_MS = 5_000;
const CONTENT_EVERY_MS = 30_000;
const TICKETS_EVERY_MS = 60_000;

type Hint = (signal: AbortSignal) => AsyncIterable<unknown>;

/** Saved configuration, content manifests and ticket keys: under the lease `duties`, so that no two processes compete. */
export function createDuties(settings: DutiesSettings): Duties {
  const { store, log, clock, leaseTtlMs = 10_000, onDuty = () => {} } = settings;
  const waiting = createStaleness("duties", { clock, log });
  return {
    async run(signal) {
      const backoff = createBackoff();
      while (!signal.aborted) {
        try {
          const lease = await store.state.lease(LEASE, leaseTtlMs, { signal, wait: true });
          waiting.answered();
          if (lease === undefined) continue;
          backoff.reset();
          await serve(settings, { lease, signal, onDuty });
        } catch (error) {
          if (!signal.aborted) waiting.failed(error);
        }
        await pause(backoff.next(), signal);
      }
    },
  };
}

interface Term {
  readonly lease: Lease;
  readonly signal: AbortSignal;
  readonly onDuty: (onDuty: boolean) => void;
}

/** Everything that is known of the store is forgotten with the lease: others worked on it meanwhile. */
async function serve(settings: DutiesSettings, { lease, signal, onDuty }: Term): Promise<void> {
  const { store, node, log, clock } = settings;
  const until = AbortSignal.any([signal, lease.lost]);
  log.info("this node has the duties", { node });
  onDuty(true);
  try {
    await Promise.all(dutiesOf(settings, lease).map((duty) => repeat(duty, { until, log, clock })));
  } finally {
    onDuty(false);
    log.info("this node no longer has the duties", { node });
    await lease.release();
  }
  function dutiesOf({ judge, settleMs = 1_000, rotateTicketsEveryMs }: DutiesSettings, held: Lease): readonly Duty[] {
    const revisions = createRevisions(store, { clock, log });
    const tickets = createTicketKeys({
      store,
      clock,
      log,
      ...(rotateTicketsEveryMs === undefined ? {} : { rotateEveryMs: rotateTicketsEveryMs }),
    });
    const watchFolder =
      (name: "config" | "content"): Hint =>
      (stop) =>
        store.folder(name).watch({ signal: stop });
    const watchHead: Hint = (stop) => store.state.watch(HEAD_PREFIX, { signal: stop });
    return [
      {
        name: "configuration",
        pass: createConfigDuty({ store, revisions, judge, node, clock, log }),
        hints: [watchFolder("config"), watchHead],
        everyMs: CONFIG_EVERY_MS,
      },
      {
        name: "content",
        pass: createContentDuty({ store, clock, log, settleMs }),
        hints: [watchFolder("content")],
        everyMs: CONTENT_EVERY_MS,
      },
      {
        name: "ticket keys",
        async pass() {
          await tickets.rotateIfDue(held);
          return "settled";
        },
        hints: [],
        everyMs: Math.min(TICKETS_EVERY_MS, rotateTicketsEveryMs ?? TICKETS_EVERY_MS),
      },
    ];
  }
}

interface Duty {
  readonly name: string;
  readonly pass: DutyPass;
  readonly hints: readonly Hint[];
  readonly everyMs: number;
}

/** Passes of one duty until the term ends; a pass that fails is tried again with growing delays and told once. */
async function repeat({ name, pass, hints, everyMs }: Duty, term: { until: AbortSignal; log: Log; clock: Clock }): Promise<void> {
  const { until, log, clock } = term;
  const staleness = createStaleness(`duty: ${name}`, { clock, log });
  const next = (outcome: PassOutcome): number => (outcome === "settled" ? everyMs : Math.min(outcome.againInMs, everyMs));
  for await (const _outcome of follow({ look: () => pass(until), hints, everyMs: next, signal: until, staleness })) continue;
}
