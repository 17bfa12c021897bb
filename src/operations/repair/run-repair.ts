import { FarmError, instant, toFarmError, type HostName } from "../../base/index.ts";
import type { Lease } from "../../store/index.ts";
import { createAsker } from "../ask-nodes.ts";
import { rootsOf } from "../look/examine-farm.ts";
import type { LookControl, LookProgress } from "../look/look-settings.ts";
import { createDrainer } from "./drain-node.ts";
import type { RunRecord } from "./journal.ts";
import { makePlan, type MadePlan, type PlanningParts, type RepairChoice } from "./make-plan.ts";
import { finishStep, mendNode, type MendParts } from "./mend-node.ts";
import type { NodeRun, PlannedRepair, RepairResult, RepairRun, StepProgress } from "./repair-run.ts";

/** What to repair, and who follows it. */
export interface RepairRequest extends RepairChoice {
  /** Ids of the steps that were agreed to; absent = all. */
  readonly steps?: readonly string[];
  readonly by?: string;
  /** Ends the repair after the step under way; what was begun is proved and undrained first. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ({ readonly kind: "look" } & LookProgress) | StepProgress) => void;
}

const LEASE = "repair";
const LEASE_MS = 10_000;
/** Long enough to see that a process that crashed does not renew its lease any more. */
const TURN_MS = 15_000;
const MAX_RUNS = 50;

/**
 * Repairs: finishes what an ended process left, plans anew, and does the agreed steps one node at a time.
 * @throws REPAIR_UNDER_WAY while another one works, and what makePlan throws
 */
export async function runRepair(planning: PlanningParts, request: RepairRequest): Promise<RepairResult> {
  const lease = await takeTurn(planning, request);
  try {
    return await repairWith(planning, request, lease);
  } finally {
    await lease.release();
  }
}

async function takeTurn({ parts }: PlanningParts, { signal }: RepairRequest): Promise<Lease> {
  const turn = AbortSignal.any([AbortSignal.timeout(TURN_MS), ...(signal === undefined ? [] : [signal])]);
  try {
    const lease = await parts.store.state.lease(LEASE, LEASE_MS, { signal: turn, wait: true });
    if (lease !== undefined) return lease;
  } catch (error) {
    if (signal?.aborted === true || toFarmError(error).code !== "CANCELLED") throw error;
  }
  throw new FarmError("REPAIR_UNDER_WAY", "another repair of this farm is under way");
}

async function repairWith(planning: PlanningParts, request: RepairRequest, lease: Lease): Promise<RepairResult> {
  const recovered = await recover(planning, request, lease);
  const made = await makePlan(planning, lookRequest(request));
  if (request.signal?.aborted === true) throw new FarmError("CANCELLED", "the repair was cancelled before anything was changed");
  const plan = agreed(made.plan, request.steps);
  if (request.steps !== undefined) requireSight(plan, made, request.steps);
  if (plan.nodes.length === 0) return { outcome: "nothing-to-do", recovered, plan };
  const { parts, journal } = planning;
  const record = await journal.begin({
    by: request.by ?? parts.by,
    startedAt: instant(parts.clock.now()),
    outcome: "running",
    nodes: plan.nodes.map(({ node, steps }) => ({
      node,
      drained: "no",
      steps: steps.map(({ id, action, text }) => ({ id, action, text, state: "waiting" })),
    })),
  });
  const why = await mendAll(await mendParts(planning, { request, record }), { plan, made, signals: [request.signal, lease.lost] });
  await record.update({ endedAt: instant(parts.clock.now()), ...outcomeOf(record.run, why) });
  const { outcome } = record.run;
  return { outcome: outcome === "mended" || outcome === "not-mended" ? outcome : "stopped", run: record.run, recovered, plan };
}

function outcomeOf({ nodes }: RepairRun, why: string | undefined): Pick<RepairRun, "outcome" | "why"> {
  if (why !== undefined) return { outcome: "stopped", why };
  return { outcome: nodes.every(({ steps }) => steps.every(({ state }) => state === "proved")) ? "mended" : "not-mended" };
}

/** Planning does not fail over findings that are gone by now. */
function lookRequest({ steps: _steps, by: _by, onProgress, ...rest }: RepairRequest): RepairChoice & LookControl {
  return { ...rest, ...(onProgress === undefined ? {} : { onProgress: (progress) => onProgress({ kind: "look", ...progress }) }) };
}

function agreed(plan: PlannedRepair, steps: readonly string[] | undefined): PlannedRepair {
  if (steps === undefined) return plan;
  const nodes = plan.nodes.map((node) => ({ ...node, steps: node.steps.filter(({ id }) => steps.includes(id)) }));
  return { ...plan, nodes: nodes.filter((node) => node.steps.length > 0) };
}

/** Agreed steps that are not planned any more were done meanwhile, unless their nodes could not be looked at. */
function requireSight(plan: PlannedRepair, { unseen }: MadePlan, steps: readonly string[]): void {
  const planned = plan.nodes.reduce((sum, node) => sum + node.steps.length, 0);
  if (planned < steps.length && unseen.length > 0)
    throw new FarmError("NODE_NO_ANSWER", `${unseen.join(", ")} could not be looked at again, so nothing was changed: repeat the repair`);
}

async function mendParts(
  { parts, farm }: PlanningParts,
  { request, record }: { readonly request: RepairRequest; readonly record: RunRecord },
): Promise<MendParts> {
  const { config } = await farm.present();
  if (config === undefined) throw new FarmError("CONFIG_REVISION_ABSENT", "the farm has no revision that can be read");
  const asker = createAsker(parts, farm);
  const { timeoutMs } = request;
  const prover = {
    clock: parts.clock,
    asker,
    config,
    ...rootsOf(parts, request),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  };
  return { parts, asker, drainer: createDrainer(parts, farm), prover, record, tell: createTeller(record, request) };
}

function createTeller(record: RunRecord, { onProgress }: RepairRequest): MendParts["tell"] {
  return (progress) => {
    const states = record.run.nodes.flatMap(({ steps }) => steps.map(({ state }) => state));
    const done = states.filter((state) => state !== "waiting" && state !== "begun" && state !== "acted").length;
    onProgress?.({ kind: "step", ...progress, done, total: states.length });
  };
}

/** Node by node until one of them has to stop it. Says why it stopped. */
async function mendAll(
  mend: MendParts,
  {
    plan,
    made,
    signals,
  }: { readonly plan: PlannedRepair; readonly made: MadePlan; readonly signals: readonly (AbortSignal | undefined)[] },
): Promise<string | undefined> {
  for (const { node, steps } of plan.nodes) {
    if (signals.some((signal) => signal?.aborted === true)) return `it was cancelled before ${node}`;
    const hosts: readonly HostName[] = made.proveOf.get(node) ?? [];
    const why = await mendNode(mend, { node, steps, hosts, mendedBy: made.mendedBy });
    if (why !== undefined) return why;
  }
  return undefined;
}

/** Finishes the node at which an ended process left a repair, and undrains it. */
async function recover(planning: PlanningParts, request: RepairRequest, lease: Lease): Promise<readonly RepairRun[]> {
  const left = (await planning.journal.list(MAX_RUNS)).filter(({ outcome }) => outcome === "running");
  const recovered: RepairRun[] = [];
  for (const run of left) {
    lease.lost.throwIfAborted();
    const record = await planning.journal.takeOver(run);
    const mend = await mendParts(planning, { request, record });
    for (const node of run.nodes) await recoverNode(mend, node);
    const endedAt = instant(planning.parts.clock.now());
    await record.update({
      outcome: "interrupted",
      endedAt,
      why: "its process ended in the middle; what it had begun was finished by the next repair",
    });
    recovered.push(record.run);
  }
  return recovered;
}

async function recoverNode(mend: MendParts, run: NodeRun): Promise<void> {
  const { node } = run;
  const open = run.steps.filter(({ state }) => state === "begun" || state === "acted");
  if (open.length === 0 && run.drained !== "yes") return;
  mend.tell({ node, phase: "recover", state: "begun", text: `an earlier repair ended in the middle of ${node}` });
  try {
    for (const step of open) {
      await finishStep(mend, node, step).catch((error: unknown) =>
        mend.record.updateStep(node, step.id, { state: "failed", problem: toFarmError(error).message }),
      );
    }
  } finally {
    if (run.drained === "yes") {
      await mend.drainer.undrain(node);
      await mend.record.updateNode(node, { drained: "undrained" });
    }
  }
  mend.tell({ node, phase: "recover", state: "done", text: `${node} is finished and gets connections` });
}
