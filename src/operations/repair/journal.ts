import { randomBytes } from "node:crypto";

import { z } from "zod";

import { FarmError, toFarmError, type Instant, type Log } from "../../base/index.ts";
import type { Entry, Rev, Store } from "../../store/index.ts";
import type { NodeRun, RepairRun, StepRun } from "./repair-run.ts";

/** The repairs of a farm, kept in its store as `repairs/<id>`. */
export interface RepairJournal {
  /** Newest first; a damaged one is told to the log. Throws the store's errors. */
  list(limit: number): Promise<readonly RepairRun[]>;
  /** Notes a new repair, and forgets the oldest ones. */
  begin(run: Omit<RepairRun, "id">): Promise<RunRecord>;
  /** Takes over one that its process left. */
  takeOver(run: RepairRun): Promise<RunRecord>;
}

/** A repair that is being written. Each change is in the store when it settles. @throws STORE_CONFLICT when another process writes it too */
export interface RunRecord {
  readonly run: RepairRun;
  update(change: Partial<RepairRun>): Promise<void>;
  updateNode(node: string, change: Partial<NodeRun>): Promise<void>;
  updateStep(node: string, step: string, change: Partial<StepRun>): Promise<void>;
}

const PREFIX = "repairs";
const KEPT = 50;
const MAX_TEXT = 500;

/** As far as readers lean on it; nodes check rows themselves. */
const RUN = z.looseObject({
  id: z.string(),
  by: z.string(),
  startedAt: z.number(),
  outcome: z.enum(["running", "mended", "not-mended", "stopped", "interrupted"]),
  nodes: z.array(
    z.looseObject({
      node: z.string(),
      drained: z.enum(["no", "yes", "undrained", "by-others"]),
      steps: z.array(z.looseObject({ id: z.string(), text: z.string(), state: z.string(), action: z.looseObject({ do: z.string() }) })),
    }),
  ),
});

/** The journal in a store. */
export function createRepairJournal(state: Store, log: Log): RepairJournal {
  async function entries(): Promise<readonly Entry[]> {
    return [...(await state.list(PREFIX))].sort((a, b) => (a.key < b.key ? 1 : -1));
  }

  return {
    async list(limit) {
      return (await entries()).slice(0, limit).flatMap((entry) => {
        const run = decode(entry, log);
        return run === undefined ? [] : [run];
      });
    },
    async begin(run) {
      await forgetOldest(state, await entries(), log);
      const made: RepairRun = { id: newId(run.startedAt), ...run };
      const rev = await write(state, made, undefined);
      return createRecord(state, made, rev);
    },
    async takeOver(run) {
      const entry = await state.read(keyOf(run));
      if (entry === undefined) throw new FarmError("STORE_CONFLICT", `the repair ${run.id} is gone from the journal`);
      return createRecord(state, run, entry.rev);
    },
  };
}

const keyOf = ({ id }: Pick<RepairRun, "id">): string => `${PREFIX}/${id}`;

/** Sorts by time: `R-20260615T120000-1f2e3d`. */
const newId = (at: Instant): string =>
  `R-${new Date(at).toISOString().slice(0, 19).replaceAll(/[-:]/g, "")}-${randomBytes(3).toString("hex")}`;

function decode({ key, value }: Entry, log: Log): RepairRun | undefined {
  try {
    return RUN.parse(JSON.parse(new TextDecoder().decode(value))) as unknown as RepairRun; // written by this file; checked as far as it is leant on
  } catch (error) {
    log.warn("a repair in the journal cannot be read", { key, problem: toFarmError(error).message.slice(0, MAX_TEXT) });
    return undefined;
  }
}

async function forgetOldest(state: Store, newestFirst: readonly Entry[], log: Log): Promise<void> {
  for (const { key, rev } of newestFirst.slice(KEPT - 1)) {
    await state.remove(key, rev).catch((error: unknown) => {
      log.debug("an old repair stays in the journal", { key, problem: toFarmError(error).message });
    });
  }
}

/** A write whose answer was lost is read back. */
async function write(state: Store, run: RepairRun, expect: Rev | undefined): Promise<Rev> {
  const value = new TextEncoder().encode(JSON.stringify(run));
  try {
    return await state.write(keyOf(run), value, expect);
  } catch (error) {
    if (toFarmError(error).code !== "STORE_UNKNOWN") throw error;
    const there = await state.read(keyOf(run));
    if (there === undefined || Buffer.compare(there.value, value) !== 0) throw error;
    return there.rev;
  }
}

function createRecord(state: Store, first: RepairRun, firstRev: Rev): RunRecord {
  let run = first;
  let rev = firstRev;
  const save = async (next: RepairRun): Promise<void> => {
    rev = await write(state, next, rev);
    run = next;
  };
  const inNode = (name: string, change: (node: NodeRun) => NodeRun): RepairRun => ({
    ...run,
    nodes: run.nodes.map((node) => (node.node === name ? change(node) : node)),
  });
  return {
    get run() {
      return run;
    },
    update: (change) => save({ ...run, ...change }),
    updateNode: (node, change) => save(inNode(node, (known) => ({ ...known, ...change }))),
    updateStep: (node, step, { problem, ...change }) => {
      const bounded = problem === undefined ? change : { ...change, problem: problem.slice(0, MAX_TEXT) };
      return save(
        inNode(node, (known) => ({ ...known, steps: known.steps.map((one) => (one.id === step ? { ...one, ...bounded } : one)) })),
      );
    },
  };
}
