import { instant, toFarmError, type Instant } from "../base/index.ts";
import type { FarmConfig } from "../config/index.ts";
import { createDrains, readConfigProblem, type AgedReport, type Drain, type NodeReport } from "../replica/index.ts";
import { lookAtBalancer, type BalancerView } from "./balancer-view.ts";
import { buildMatrix, type ProofMatrix } from "./matrix.ts";
import type { OperationsParts } from "./parts.ts";
import { nodeNames, type FarmView } from "./present-farm.ts";
import type { RevisionSummary } from "./types.ts";

/** A node as the farm sees it. `silent`: its last report is older than 15 s; `absent`: it has never reported. */
export interface NodeStatus {
  readonly node: string;
  readonly state: "reporting" | "silent" | "absent";
  readonly configured: boolean;
  readonly drained: boolean;
  readonly ageMs?: number;
  readonly report?: Omit<NodeReport, "proof"> & { readonly proof: Pick<NodeReport["proof"], "proved" | "failed" | "pending"> };
}

/** Everything worth knowing of a farm at a glance. */
export interface FarmStatus {
  readonly at: Instant;
  readonly farm?: string;
  readonly store: string;
  readonly revision?: RevisionSummary;
  /** A saved farm.yaml that was refused. */
  readonly configProblem?: { readonly problems: readonly string[]; readonly at: Instant };
  readonly nodes: readonly NodeStatus[];
  readonly drains: readonly Drain[];
  readonly balancer: BalancerView;
  readonly matrix: ProofMatrix;
  /** What is wrong, a sentence each; empty = all is well. What is under way (pending proofs, a revision being taken) is not wrong. */
  readonly problems: readonly string[];
}

/** A report older than this says nothing any longer: nodes report every few seconds. */
export const SILENT_MS = 15_000;
const MAX_PROBLEMS = 100;

/** The farm's status. @throws STORE_UNAVAILABLE */
export async function readStatus({ store, clock, signing }: OperationsParts, farm: FarmView): Promise<FarmStatus> {
  const [{ latest, config }, reports, drains, refused] = await Promise.all([
    farm.present(),
    farm.reports.all(),
    createDrains(store, { clock, signing }).list(),
    readConfigProblem(store),
  ]);
  const balancer = await lookAtBalancer(config?.balancer?.health);
  const names = nodeNames(config, reports);
  const nodes = names.map((node) => statusOf(node, { config, reports, drains }));
  const matrix = buildMatrix(names, reports, SILENT_MS);
  const status = {
    at: instant(clock.now()),
    ...(config === undefined ? {} : { farm: config.farm }),
    store: store.location,
    ...(latest === undefined
      ? {}
      : { revision: { number: latest.number, digest: latest.digest, at: latest.at, by: latest.by, ...noteOf(latest) } }),
    ...(refused === undefined ? {} : { configProblem: { problems: refused.problems, at: refused.at } }),
    nodes,
    drains,
    balancer,
    matrix,
  };
  const refusal = farm.revisions.refusal();
  const problems = [
    ...(refusal === undefined ? [] : [`${refusal}; the farm goes on without it`]),
    ...farm.reports.refused(),
    ...problemsOf(status),
  ];
  return { ...status, problems: problems.slice(0, MAX_PROBLEMS) };
}

const noteOf = ({ note }: { readonly note?: string }): { note?: string } => (note === undefined ? {} : { note });

interface Known {
  readonly config: FarmConfig | undefined;
  readonly reports: readonly AgedReport[];
  readonly drains: readonly Drain[];
}

function statusOf(node: string, { config, reports, drains }: Known): NodeStatus {
  const aged = reports.find(({ report }) => report.node === node);
  const configured = config?.nodes.some(({ name }) => name === node) === true;
  const common = { node, configured, drained: drains.some((drain) => drain.node === node) };
  if (aged === undefined) return { ...common, state: "absent" };
  const { proof, ...report } = aged.report;
  const { proved, failed, pending } = proof;
  return {
    ...common,
    state: aged.ageMs > SILENT_MS ? "silent" : "reporting",
    ageMs: Math.round(aged.ageMs),
    report: { ...report, proof: { proved, failed, pending } },
  };
}

function problemsOf(status: Omit<FarmStatus, "problems">): string[] {
  return [
    ...(status.revision === undefined ? ["the farm has no configuration yet"] : []),
    ...(status.configProblem === undefined
      ? []
      : [`the saved farm.yaml is refused: ${status.configProblem.problems[0] ?? "no reason is known"}`]),
    ...status.nodes.flatMap(nodeProblems),
    ...(status.balancer.kind === "silent" ? [`the balancer does not answer at ${status.balancer.url}: ${status.balancer.problem}`] : []),
    ...status.matrix.rows.filter(({ differs }) => differs).map(({ host }) => `${host}: nodes serve different certificates`),
  ];
}

function nodeProblems({ node, state, configured, ageMs, report }: NodeStatus): string[] {
  if (state === "absent") return [`${node} has never reported`];
  if (report === undefined) return [];
  if (state === "silent") return configured ? [`${node} is silent: its last report is ${Math.round((ageMs ?? 0) / 1000)} s old`] : [];
  return [
    ...(report.revisionProblem === undefined ? [] : [`${node} goes on with revision ${report.revision}: ${report.revisionProblem}`]),
    ...identityProblems(node, report),
    ...(report.staleSince === undefined ? [] : [`${node} cannot reach the store since ${new Date(report.staleSince).toISOString()}`]),
    ...(report.proof.failed === 0
      ? []
      : [`${node} failed to prove ${report.proof.failed} ${report.proof.failed === 1 ? "host" : "hosts"}`]),
    ...(report.table.drift.length === 0 ? [] : [`${node}'s binding table differs from the configuration: ${report.table.drift[0] ?? ""}`]),
    ...report.listeners.flatMap(({ address, port, problem }) =>
      problem === undefined ? [] : [`${node} does not listen on ${address} port ${port}: ${problem}`],
    ),
    ...report.content.flatMap(({ folder, problem }) => (problem === undefined ? [] : [`${node} lacks content ${folder}: ${problem}`])),
  ];
}

function identityProblems(node: string, { identity }: NonNullable<NodeStatus["report"]>): string[] {
  if (identity?.renewalFailing === undefined) return [];
  const { since, problem } = identity.renewalFailing;
  const [from, until] = [since, identity.notAfter].map((at) => new Date(at).toISOString());
  return [`${node} cannot renew its identity since ${from}, and it ends at ${until}: ${problem}`];
}

/** A thrown value as data beside other nodes' answers. */
export function problemData(thrown: unknown): { code: ReturnType<typeof toFarmError>["code"]; message: string; remedy: string } {
  const { code, message, remedy } = toFarmError(thrown);
  return { code, message, remedy };
}
