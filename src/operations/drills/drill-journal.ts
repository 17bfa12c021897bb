import { randomBytes } from "node:crypto";

import { z } from "zod";

import { toFarmError, type Instant, type Log } from "../../base/index.ts";
import type { Entry, Store } from "../../store/index.ts";

const at = z.number().transform((ms) => ms as Instant);
const maybeAt = z.exactOptional(at);

const RUN = z.object({
  id: z.string(),
  drill: z.string(),
  node: z.string(),
  host: z.string(),
  port: z.number(),
  by: z.string(),
  /** What the node did, in a sentence. */
  did: z.exactOptional(z.string()),
  startedAt: at,
  /** When it ends by itself. */
  untilAt: at,
  /** Until when clients were watched. */
  watchedAt: maybeAt,
  noticedAt: maybeAt,
  namedAt: maybeAt,
  endedAt: maybeAt,
  endedBy: z.exactOptional(z.string()),
  mendedAt: maybeAt,
  /** Handshakes through the balancer while the drill was watched, how many of them failed, how the first did, and when the last did. */
  clients: z.exactOptional(z.object({ dialled: z.number(), failed: z.number(), first: z.exactOptional(z.string()), lastAt: maybeAt })),
});

/** A drill as the farm's journal has it. `namedAt`: when a look of the doctor first had the finding that the drill should lead to. */
export type DrillRun = z.output<typeof RUN>;

/** The drills of a farm, kept in its store as `drills/<id>`. Throws the store's errors. */
export interface DrillJournal {
  /** Newest first. */
  list(): Promise<readonly DrillRun[]>;
  begin(run: DrillRun): Promise<void>;
  /** Adds what is known by now; what was noted first stays. */
  note(id: string, facts: Partial<DrillRun>): Promise<DrillRun | undefined>;
}

const PREFIX = "drills";
const KEPT = 50;
const TRIES = 5;

/** Sorts by time: `D-20260615T120000-1f2e3d`. */
export const newDrillId = (startedAt: Instant): string =>
  `D-${new Date(startedAt).toISOString().slice(0, 19).replaceAll(/[-:]/g, "")}-${randomBytes(3).toString("hex")}`;

/** The journal in a store. */
export function createDrillJournal(state: Store, log: Log): DrillJournal {
  const entries = async (): Promise<readonly Entry[]> => [...(await state.list(PREFIX))].toSorted((a, b) => (a.key < b.key ? 1 : -1));
  return {
    list: async () => (await entries()).flatMap((entry) => decode(entry, log) ?? []),
    async begin(run) {
      for (const { key, rev } of (await entries()).slice(KEPT - 1)) await state.remove(key, rev).catch(() => undefined); // another process did
      await state.write(`${PREFIX}/${run.id}`, encode(run), undefined);
    },
    async note(id, facts) {
      for (let tries = 1; ; tries += 1) {
        const entry = await state.read(`${PREFIX}/${id}`);
        const run = entry === undefined ? undefined : decode(entry, log);
        if (entry === undefined || run === undefined) return undefined;
        const next = { ...facts, ...run };
        if (Object.keys(next).length === Object.keys(run).length) return run;
        try {
          await state.write(entry.key, encode(next), entry.rev);
          return next;
        } catch (error) {
          if (toFarmError(error).code !== "STORE_CONFLICT" || tries === TRIES) throw error;
        }
      }
    },
  };
}

const encode = (run: DrillRun): Uint8Array => new TextEncoder().encode(JSON.stringify(run));

function decode({ key, value }: Entry, log: Log): DrillRun | undefined {
  try {
    return RUN.parse(JSON.parse(new TextDecoder().decode(value)));
  } catch (error) {
    log.warn("a drill in the journal cannot be read", { key, problem: toFarmError(error).message.slice(0, 500) });
    return undefined;
  }
}
