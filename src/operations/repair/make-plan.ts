import { FarmError, type HostName } from "../../base/index.ts";
import { planRepair, type Finding, type NodeRepair } from "../../doctor/index.ts";
import { createDrains } from "../../replica/index.ts";
import { diagnoseExamination } from "../look/diagnose-farm.ts";
import { examineFarm } from "../look/examine-farm.ts";
import type { DialSettings, LookControl } from "../look/look-settings.ts";
import type { OperationsParts } from "../parts.ts";
import type { FarmView } from "../present-farm.ts";
import type { RepairJournal } from "./journal.ts";
import type { PlannedRepair } from "./repair-run.ts";

/** What to cure. */
export interface RepairChoice extends DialSettings {
  /** Ids or codes; absent = all. */
  readonly findings?: readonly string[];
}

/** A plan, and what it takes to carry it out. */
export interface MadePlan {
  readonly plan: PlannedRepair;
  /** Hosts to prove of each node: those that the repair should mend first. */
  readonly proveOf: ReadonlyMap<string, readonly HostName[]>;
  /** Hosts that a step should mend, by its id. */
  readonly mendedBy: ReadonlyMap<string, readonly HostName[]>;
  /** Nodes that told nothing of themselves this time: what they need is not known. */
  readonly unseen: readonly string[];
}

/** Hosts that are proved of a node before and after each step. */
const MAX_PROVED = 500;
const MAX_JOURNAL = 50;

/** What planning works with. */
export interface PlanningParts {
  readonly parts: OperationsParts;
  readonly farm: FarmView;
  readonly journal: RepairJournal;
  /** Is told what each look finds. */
  readonly named: (findings: readonly Finding[]) => Promise<void>;
}

/** Looks at the whole farm and plans what cures the findings. @throws REPAIR_FINDING_UNKNOWN, and what examineFarm throws */
export async function makePlan({ parts, farm, journal, named }: PlanningParts, choice: RepairChoice & LookControl): Promise<MadePlan> {
  const { findings: _names, ...look } = choice;
  const { examination, diagnosis } = diagnoseExamination(await examineFarm(parts, farm, look), choice);
  await named(diagnosis.findings);
  const findings = chosenFindings(diagnosis.findings, choice.findings);
  const [drains, runs] = await Promise.all([createDrains(parts.store, parts).list(), journal.list(MAX_JOURNAL)]);
  const drained = new Set(drains.map(({ node }) => node));
  const plan = planRepair({ examination, diagnosis, findings, drained });
  const interrupted = runs.filter(({ outcome }) => outcome === "running").map(({ id }) => id);
  const hosts = examination.hosts.map(({ name }) => name);
  const silent = examination.nodes.filter(({ role, evidence }) => role === "node" && evidence === undefined);
  return {
    plan: { ...plan, interrupted },
    unseen: silent.map(({ name }) => name),
    proveOf: new Map(plan.nodes.map((node) => [node.node, [...new Set([...node.mends, ...hosts])].slice(0, MAX_PROVED)])),
    mendedBy: new Map(plan.nodes.flatMap((node) => node.steps.map((step) => [step.id, expected(node, step.findings, findings)] as const))),
  };
}

/** The findings of these ids and codes. @throws REPAIR_FINDING_UNKNOWN */
export function chosenFindings(all: readonly Finding[], names: readonly string[] | undefined): readonly Finding[] {
  if (names === undefined) return all;
  const unknown = names.find((name) => !all.some(({ id, code }) => id === name || code === name));
  if (unknown !== undefined)
    throw new FarmError("REPAIR_FINDING_UNKNOWN", `the doctor finds no ${JSON.stringify(unknown.slice(0, 100))} now`);
  return all.filter(({ id, code }) => names.includes(id) || names.includes(code));
}

function expected({ node, mends }: NodeRepair, ids: readonly string[], findings: readonly Finding[]): readonly HostName[] {
  const explained = findings.filter(({ id }) => ids.includes(id)).flatMap(({ explains }) => explains.filter((ref) => ref.node === node));
  const hosts = new Set(explained.map(({ host }) => host));
  return mends.filter((host) => hosts.has(host)).slice(0, MAX_PROVED);
}
