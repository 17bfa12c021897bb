import { FarmError } from "../base/index.ts";
import { diffConfigs, formatProblems, type ConfigProblem, type FarmConfig, type ImpactPlan } from "../config/index.ts";
import { textDiff } from "../config/text-diff.ts";
import { parseFarmConfig } from "../config/parse-farm-config.ts";
import type { AgedReport, Revision } from "../replica/index.ts";
import type { OperationsParts } from "./parts.ts";
import { weighImpact } from "./served-names.ts";
import type { ConfigPlan, MissingCertificate, Validation } from "./types.ts";

/** What is planned: a text, against a revision. */
export interface PlanQuestion {
  readonly yaml: string;
  readonly base: Revision | undefined;
  readonly latest: number;
  readonly reports: readonly AgedReport[];
  readonly signal?: AbortSignal;
}

const MAX_MISSING = 500;

/** Reads a farm.yaml: all its problems at once. `name` is how the text is called in them. */
export function validate(yaml: string, name = "farm.yaml"): Validation {
  const reading = parseFarmConfig(yaml);
  if (reading.kind === "invalid") {
    return { kind: "invalid", problems: reading.problems, text: formatProblems(name, reading.problems, yaml) };
  }
  return { kind: "valid", warnings: reading.warnings, text: formatProblems(name, reading.warnings, yaml) };
}

/** What applying a text would do, host by host and node by node. @throws STORE_UNAVAILABLE */
export async function planConfig(parts: OperationsParts, question: PlanQuestion): Promise<ConfigPlan> {
  const { yaml, base, latest, reports, signal } = question;
  const reading = parseFarmConfig(yaml);
  if (reading.kind === "invalid") return invalid(yaml, reading.problems);
  const before = base === undefined ? undefined : configOf(base);
  const after = reading.config;
  const impact = await weighImpact(parts, { before, after, reports, ...(signal === undefined ? {} : { signal }) });
  return {
    kind: "valid",
    base: base?.number ?? 0,
    latest,
    warnings: reading.warnings,
    warningText: formatProblems("farm.yaml", reading.warnings, yaml),
    diff: textDiff(
      { label: base === undefined ? "nothing" : `revision ${base.number}`, text: base?.yaml ?? "" },
      { label: "farm.yaml", text: yaml },
    ),
    changes: diffConfigs(before, after),
    impact,
    missing: missingOf(impact),
  };
}

const invalid = (yaml: string, problems: readonly ConfigProblem[]): ConfigPlan => ({
  kind: "invalid",
  problems,
  text: formatProblems("farm.yaml", problems, yaml),
});

/** The configuration of a revision; undefined for one that this version cannot read any longer: then nothing counts as served before. */
function configOf(revision: Revision): FarmConfig | undefined {
  const reading = parseFarmConfig(revision.yaml);
  return reading.kind === "valid" ? reading.config : undefined;
}

/** Reasons that a certificate file would cure. */
const LACKING: ReadonlySet<string> = new Set(["no-certificate", "certificate-unusable"]);

function missingOf(impact: ImpactPlan): readonly MissingCertificate[] {
  const missing = new Map<string, MissingCertificate>();
  for (const { host, port, after, change } of impact.rows) {
    if (after.kind === "refuse" && LACKING.has(after.reason) && change !== "removed")
      missing.set(`${host}:${port}`, { host, port, reason: after.reason });
  }
  return [...missing.values()].slice(0, MAX_MISSING);
}

/** The error for a text that is no configuration. */
export function configInvalid(plan: Extract<ConfigPlan, { kind: "invalid" }>): FarmError {
  const errors = plan.problems.filter(({ severity }) => severity === "error").length;
  return new FarmError("CONFIG_INVALID", `farm.yaml has ${errors} ${errors === 1 ? "error" : "errors"}:\n${plan.text}`, {
    facts: { errors, lines: plan.problems.slice(0, 100).map(({ line, column, message }) => `${line}:${column} ${message}`) },
  });
}

const MAX_NAMED = 20;

/** The error for a plan that breaks what is served, with a sentence for each host. */
export function wouldBreak(plan: Extract<ConfigPlan, { kind: "valid" }>, hosts: readonly string[]): FarmError {
  const shown = hosts.slice(0, MAX_NAMED).map((host) => breakSentence(plan, host));
  const more = hosts.length > MAX_NAMED ? [`and ${hosts.length - MAX_NAMED} more`] : [];
  const count = hosts.length === 1 ? "a host name that is" : `${hosts.length} host names that are`;
  return new FarmError(
    "CONFIG_WOULD_BREAK",
    `this would break ${count} served now:\n${[...shown, ...more].map((line) => `  ${line}`).join("\n")}`,
    {
      facts: { hosts: hosts.slice(0, 1_000), total: hosts.length },
    },
  );
}

/** `www.example.com on web1, web2: no-certificate` */
export function breakSentence(plan: Extract<ConfigPlan, { kind: "valid" }>, host: string): string {
  const rows = plan.impact.rows.filter((row) => row.host === host && row.change === "broken");
  const nodes = [...new Set(rows.flatMap((row) => row.nodes))];
  const reasons = [...new Set(rows.flatMap(({ after }) => (after.kind === "refuse" ? [after.reason] : [])))];
  return `${host} on ${nodes.slice(0, 10).join(", ")}${nodes.length > 10 ? ", …" : ""}: ${reasons.join("; ")}`;
}
