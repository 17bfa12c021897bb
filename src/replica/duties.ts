import type { Clock, Log } from "../base/index.ts";
import type { Signing } from "../identity/index.ts";
import type { FarmStore, Lease } from "../store/index.ts";
import { createConfigDuty, type Judge } from "./config-duty.ts";
import { createContentDuty } from "./content-duty.ts";
import type { DutyPass, PassOutcome } from "./duty-pass.ts";
import { hasAuthority } from "./farm-statement.ts";
import { createBackoff, follow, pause, restMs } from "./follow.ts";
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
  /** Name of the process's node, or of its admin, for the log and the revisions it makes. */
  readonly node: string;
  /**
   * Absent = a farm without identities: its nodes have the duties. In one with identities what the duties write must be signed by an admin:
   * processes that can sign have them, and others leave them alone as soon as they see that the farm has an authority.
   */
  readonly signing?: Signing | undefined;
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
const AUTHORITY_EVERY_MS = 10_000;

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
          if (await isOthers(settings)) {
            await pause(AUTHORITY_EVERY_MS, signal);
            continue;
          }
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

/** Whether only processes with an identity may have the duties, and this one has none. */
const isOthers = async ({ store, signing }: DutiesSettings): Promise<boolean> => signing === undefined && (await hasAuthority(store.state));

interface Term {
  readonly lease: Lease;
  readonly signal: AbortSignal;
  readonly onDuty: (onDuty: boolean) => void;
}

/** Everything that is known of the store is forgotten with the lease: others worked on it meanwhile. */
async function serve(settings: DutiesSettings, { lease, signal, onDuty }: Term): Promise<void> {
  const { node, log, clock } = settings;
  const handOver = new AbortController();
  const until = AbortSignal.any([signal, lease.lost, handOver.signal]);
  log.info("this process has the duties", { node });
  onDuty(true);
  try {
    const duties = [...dutiesOf(settings, lease), handOverDuty(settings, handOver)];
    await Promise.all(duties.map((duty) => repeat(duty, { until, log, clock })));
  } finally {
    onDuty(false);
    log.info("this process no longer has the duties", { node });
    await lease.release();
  }
}

function dutiesOf(settings: DutiesSettings, held: Lease): readonly Duty[] {
  const { store, node, log, clock, signing, judge, settleMs = 1_000, rotateTicketsEveryMs } = settings;
  const signed = signing === undefined ? {} : { signing };
  const rotation = rotateTicketsEveryMs === undefined ? {} : { rotateEveryMs: rotateTicketsEveryMs };
  const revisions = createRevisions(store, { clock, log, ...signed });
  const tickets = createTicketKeys({ store, clock, log, ...rotation });
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
      everyMs: restMs(store.state, CONFIG_EVERY_MS),
    },
    {
      name: "content",
      pass: createContentDuty({ store, clock, log, settleMs, ...signed }),
      hints: [watchFolder("content")],
      everyMs: store.folder("content").tellsAll === true ? restMs(store.state, CONTENT_EVERY_MS) : CONTENT_EVERY_MS,
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

/** A farm may get its authority while a process without an identity has the duties. */
function handOverDuty(settings: DutiesSettings, handOver: AbortController): Duty {
  const pass: DutyPass = async () => {
    if (await isOthers(settings)) handOver.abort();
    return "settled";
  };
  const { state } = settings.store;
  const watchAuthority: Hint = (stop) => state.watch("identity/trust", { signal: stop });
  return { name: "hand over", pass, hints: [watchAuthority], everyMs: restMs(state, AUTHORITY_EVERY_MS) };
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
