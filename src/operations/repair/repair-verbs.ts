import type { LookControl } from "../look/look-settings.ts";
import type { OperationsParts } from "../parts.ts";
import type { FarmView } from "../present-farm.ts";
import { createRepairJournal } from "./journal.ts";
import { makePlan, type PlanningParts, type RepairChoice } from "./make-plan.ts";
import type { PlannedRepair, RepairResult, RepairRun } from "./repair-run.ts";
import { runRepair, type RepairRequest } from "./run-repair.ts";

/** The use cases of mending a farm. */
export interface RepairVerbs {
  /** What a repair would do; nothing is changed. @throws REPAIR_FINDING_UNKNOWN, and what looking throws */
  plan(choice: RepairChoice & LookControl): Promise<PlannedRepair>;
  /** @throws REPAIR_UNDER_WAY, REPAIR_FINDING_UNKNOWN, and what looking throws */
  run(request: RepairRequest): Promise<RepairResult>;
  /** Newest first. */
  history(limit: number): Promise<readonly RepairRun[]>;
}

/** Without what only the next proof needs. */
function asShown(run: RepairRun): RepairRun {
  return { ...run, nodes: run.nodes.map(({ before: _before, ...node }) => node) };
}

/** Over the farm's store. `named` is told what each look finds. */
export function createRepairVerbs(parts: OperationsParts, farm: FarmView, named: PlanningParts["named"]): RepairVerbs {
  const journal = createRepairJournal(parts.store.state, parts.log);
  const planning = { parts, farm, journal, named };
  return {
    plan: async (choice) => (await makePlan(planning, choice)).plan,
    run: (request) => runRepair(planning, request),
    history: async (limit) => (await journal.list(limit)).map(asShown),
  };
}
