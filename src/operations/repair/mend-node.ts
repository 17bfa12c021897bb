import { toFarmError, type HostName } from "../../base/index.ts";
import type { RepairStep } from "../../doctor/index.ts";
import type { Asker } from "../ask-nodes.ts";
import type { OperationsParts } from "../parts.ts";
import { act, prepareUndo, undo } from "./act.ts";
import type { Drainer } from "./drain-node.ts";
import type { RunRecord } from "./journal.ts";
import { lookAtNode, type NodeSight, type ProverParts } from "./prove-node.ts";
import { isServed, proveAfter } from "./prove-step.ts";
import type { StepProgress, StepRun } from "./repair-run.ts";

/** What mending works with. */
export interface MendParts {
  readonly parts: OperationsParts;
  readonly asker: Asker;
  readonly drainer: Drainer;
  readonly prover: ProverParts;
  readonly record: RunRecord;
  readonly tell: (progress: Omit<StepProgress, "kind" | "done" | "total">) => void;
}

/** One node of a plan, and what is to be proved of it. */
export interface NodeWork {
  readonly node: string;
  readonly steps: readonly RepairStep[];
  readonly hosts: readonly HostName[];
  readonly mendedBy: ReadonlyMap<string, readonly HostName[]>;
}

/** How long a proof may take to come right after a step. */
const SETTLE_MS = 5_000;

/**
 * Drains a node, does its steps one by one with a proof after each, and undrains it, whatever happens in between.
 * Says why the repair has to stop, if it has to. @throws the store's errors: then the journal says where it stood
 */
export async function mendNode(mend: MendParts, work: NodeWork): Promise<string | undefined> {
  const { drainer, record, tell } = mend;
  const { node } = work;
  if (await drainer.isDrained(node)) {
    await record.updateNode(node, { drained: "by-others" });
    return doSteps(mend, work);
  }
  await record.updateNode(node, { drained: "yes" });
  tell({ node, phase: "drain", state: "begun", text: `drain ${node}` });
  try {
    await drainer.drain(node, `repair ${record.run.id}`);
    tell({ node, phase: "drain", state: "done", text: `${node} gets no new connections` });
    return await doSteps(mend, work);
  } catch (error) {
    const { message } = toFarmError(error);
    tell({ node, phase: "drain", state: "failed", text: message });
    return message;
  } finally {
    await drainer.undrain(node);
    await record.updateNode(node, { drained: "undrained" });
    tell({ node, phase: "undrain", state: "done", text: `${node} gets connections again` });
  }
}

async function doSteps(mend: MendParts, work: NodeWork): Promise<string | undefined> {
  const { record, prover } = mend;
  const { node, hosts } = work;
  let before = await lookAtNode(prover, node, hosts);
  for (const [at, step] of work.steps.entries()) {
    await record.updateNode(node, { before: Object.fromEntries(before.ranks) });
    const done = await inLog(mend, node, step, () => doStep(mend, work, { step, before, isLast: at === work.steps.length - 1 }));
    if ("stop" in done) return done.stop;
    before = done.sight;
  }
  await settleLater(mend, work, before);
  return undefined;
}

/** A step is a change of its own in the audit log, as a part of the repair that it belongs to. */
async function inLog<T>({ parts, record }: MendParts, node: string, step: RepairStep, work: () => Promise<T>): Promise<T> {
  if (parts.audit === undefined) return work();
  return parts.audit.change({ action: "repair.step", target: `${node}: ${step.text}` }, work, () => {
    const run = record.run.nodes.find((one) => one.node === node)?.steps.find(({ id }) => id === step.id);
    const { state = "failed", problem } = run ?? {};
    const outcome = state === "proved" || state === "no-better" ? "done" : "failed";
    return { outcome, detail: problem === undefined ? state : `${state}: ${problem}` };
  });
}

interface StepWork {
  readonly step: RepairStep;
  readonly before: NodeSight;
  readonly isLast: boolean;
}

async function doStep(
  mend: MendParts,
  work: NodeWork,
  { step, before, isLast }: StepWork,
): Promise<{ readonly sight: NodeSight } | { readonly stop: string }> {
  const { asker, record, tell } = mend;
  const { node } = work;
  tell({ node, phase: "act", state: "begun", text: step.text });
  try {
    await record.updateStep(node, step.id, { state: "begun", undo: await prepareUndo(asker, step.action) });
    await act(asker, step.action);
  } catch (error) {
    const { message } = toFarmError(error);
    await takeBack(mend, node, step.id);
    await record.updateStep(node, step.id, { state: "failed", problem: message });
    tell({ node, phase: "act", state: "failed", text: `${step.text}: ${message}` });
    return { stop: `${node}: ${step.text}: ${message}` };
  }
  await record.updateStep(node, step.id, { state: "acted" });
  tell({ node, phase: "act", state: "done", text: step.text });
  return proveStep(mend, work, { step, before, isLast });
}

async function proveStep(
  mend: MendParts,
  work: NodeWork,
  { step, before, isLast }: StepWork,
): Promise<{ readonly sight: NodeSight } | { readonly stop: string }> {
  const { record, tell } = mend;
  const { node, hosts } = work;
  const expected = work.mendedBy.get(step.id) ?? [];
  tell({ node, phase: "prove", state: "begun", text: `dial ${node} for ${counted(hosts.length, "host")}` });
  const verdict = await proveAfter(mend, { node, hosts, before, expected, withinMs: isLast ? SETTLE_MS : SETTLE_MS / 4 });
  if (verdict.kind === "worse") {
    tell({ node, phase: "prove", state: "failed", text: verdict.why });
    return { stop: await undoStep(mend, node, { step, why: verdict.why }) };
  }
  const { kind, sight, mended, problem } = verdict;
  await record.updateStep(node, step.id, { state: kind, mended, ...(problem === undefined ? {} : { problem }) });
  const text = kind === "proved" ? `${node} serves ${counted(mended, "host")} more` : `nothing got better: ${problem ?? ""}`;
  tell({ node, phase: "prove", state: kind === "proved" ? "done" : "failed", text });
  return { sight };
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`;

async function undoStep(
  mend: MendParts,
  node: string,
  { step, why }: { readonly step: RepairStep; readonly why: string },
): Promise<string> {
  const { record, tell } = mend;
  tell({ node, phase: "undo", state: "begun", text: `take back: ${step.text}` });
  const taken = await takeBack(mend, node, step.id);
  const state = taken.kind === "failed" ? "undo-failed" : "undone";
  const how =
    taken.kind === "failed"
      ? `; taking it back failed: ${taken.problem}`
      : taken.kind === "nothing"
        ? "; there was nothing to take back"
        : "";
  await record.updateStep(node, step.id, { state, problem: `${why}${how}` });
  tell({ node, phase: "undo", state: taken.kind === "failed" ? "failed" : "done", text: `${step.text}${how === "" ? " is undone" : how}` });
  return `${node}: ${step.text}: a proof got worse: ${why}${how}`;
}

type Taken = { readonly kind: "taken" | "nothing" } | { readonly kind: "failed"; readonly problem: string };

async function takeBack({ asker, record }: MendParts, node: string, id: string): Promise<Taken> {
  const noted = record.run.nodes.find((one) => one.node === node)?.steps.find((one) => one.id === id)?.undo;
  try {
    return { kind: (await undo(asker, node, noted)) ? "taken" : "nothing" };
  } catch (error) {
    return { kind: "failed", problem: toFarmError(error).message };
  }
}

/** A step may only show its effect once a later one was done. */
async function settleLater({ record }: MendParts, { node, steps, mendedBy }: NodeWork, sight: NodeSight): Promise<void> {
  const runs = record.run.nodes.find((one) => one.node === node)?.steps ?? [];
  for (const { id } of steps) {
    const areServed = (mendedBy.get(id) ?? []).every((host) => isServed(sight, host));
    if (areServed && runs.find((run: StepRun) => run.id === id)?.state === "no-better")
      await record.updateStep(node, id, { state: "proved" });
  }
}

/** Finishes a step that an ended process left between acting and proving. */
export async function finishStep(mend: MendParts, node: string, run: StepRun): Promise<void> {
  const { asker, record } = mend;
  const known = record.run.nodes.find((one) => one.node === node)?.before ?? {};
  const step: RepairStep = { id: run.id, action: run.action, text: run.text, findings: [], changes: "" };
  if (run.state === "begun") await act(asker, run.action);
  const before: NodeSight = {
    ranks: new Map(Object.entries(known).map(([host, rank]) => [host, rank as 0 | 1 | 2 | 3])),
    texts: new Map(),
    withoutName: [],
  };
  const hosts = [...before.ranks.keys()] as HostName[]; // noted by lookAtNode
  const verdict = await proveAfter(mend, { node, hosts, before, expected: [], withinMs: SETTLE_MS });
  if (verdict.kind === "worse") await undoStep(mend, node, { step, why: verdict.why });
  else await record.updateStep(node, run.id, { state: verdict.kind, mended: verdict.mended });
}
