import { toFarmError } from "../base/index.ts";
import type { Examination } from "./examination.ts";
import type { Diagnosis, Finding, FindingDraft, RuleOutcome, Severity, Symptom } from "./finding.ts";
import { findingId } from "./finding-id.ts";
import type { Rule, RuleResult, Tier } from "./rule.ts";
import { shorten } from "./shorten.ts";
import { findSymptoms } from "./symptoms.ts";
import { unexplained } from "./unexplained.ts";
import { cellKey, createView, endpointKey, indexExamination, type ExaminationIndex, type View } from "./view.ts";

const TIERS: readonly Tier[] = ["node", "host", "wire"];
const SEVERITIES: readonly Severity[] = ["error", "warning", "notice"];

/**
 * Names the causes. Tier by tier: what an earlier tier explains is no symptom any more for a later one, so a cause absorbs its symptoms.
 * What no rule explains is a finding of its own. A rule that throws is told as failed and hides no other.
 */
export function diagnose(examination: Examination, rules: readonly Rule[]): Diagnosis {
  const symptoms = findSymptoms(examination);
  const index = indexExamination(examination, symptoms);
  const findings: Finding[] = [];
  const outcomes: RuleOutcome[] = [];
  let left = symptoms;
  for (const tier of TIERS) {
    const view = createView(index, left);
    for (const rule of rules.filter((candidate) => candidate.tier === tier)) {
      const { outcome, drafts } = run(rule, view);
      outcomes.push(outcome);
      for (const finding of finishAll(rule, drafts, index)) findings.push(finding);
    }
    left = unexplainedBy(findings, left, index);
  }
  findings.push(...finishAll(UNEXPLAINED, unexplained(left), index));
  const told = withoutSigns(findings, rules);
  return { at: examination.at, findings: told.toSorted(compareFindings), symptoms, rules: outcomes };
}

const UNEXPLAINED = { code: "unexplained", title: "Something is wrong that no rule explains", severity: "error" } as const;

type FindingOrigin = Pick<Rule, "code" | "title" | "severity">;

function run(rule: Rule, view: View): { outcome: RuleOutcome; drafts: readonly FindingDraft[] } {
  let result: RuleResult;
  try {
    result = rule.check(view);
  } catch (thrown) {
    return { outcome: { code: rule.code, status: "failed", why: shorten(toFarmError(thrown).message) }, drafts: [] };
  }
  if (result.status === "found") return { outcome: { code: rule.code, status: "found" }, drafts: result.findings };
  const why = "why" in result ? { why: result.why } : {};
  return { outcome: { code: rule.code, status: result.status, ...why }, drafts: [] };
}

/** Findings of one rule. Should two of them have one id, their words tell them apart. */
function finishAll(rule: FindingOrigin, drafts: readonly FindingDraft[], index: ExaminationIndex): readonly Finding[] {
  const taken = new Set<string>();
  return drafts.map((draft) => {
    const first = findingId(rule.code, draft);
    const id = taken.has(first) ? findingId(rule.code, { ...draft, about: `${draft.about ?? ""} ${draft.summary}` }) : first;
    taken.add(id);
    const { code, title } = rule;
    return { ...draft, id, code, title, severity: draft.severity ?? rule.severity, differs: differsBetweenNodes(draft, index) };
  });
}

/** Some node that is meant to serve these hosts is not concerned. */
function differsBetweenNodes({ nodes, hosts }: FindingDraft, index: ExaminationIndex): boolean {
  if (nodes.length === 0) return false;
  return index.nodes.some(({ name }) => !nodes.includes(name) && (hosts.length === 0 || hosts.some((host) => index.meant(name, host))));
}

/** Without the findings that are but a sign of another one. */
function withoutSigns(findings: readonly Finding[], rules: readonly Rule[]): readonly Finding[] {
  const yielding = new Map(rules.flatMap(({ code, yieldsTo }) => (yieldsTo === undefined ? [] : [[code, new Set(yieldsTo)] as const])));
  return findings.filter(({ code, nodes, against = [] }) => {
    const causes = yielding.get(code);
    if (causes === undefined) return true;
    const concerned = new Set([...nodes, ...against]);
    return !findings.some((other) => causes.has(other.code) && other.nodes.some((node) => concerned.has(node)));
  });
}

/** A balancer's symptom is explained by what explains the same host on a node behind it. */
function unexplainedBy(findings: readonly Finding[], symptoms: readonly Symptom[], index: ExaminationIndex): readonly Symptom[] {
  const explained = new Set<string>();
  const hosts = new Set<string>();
  for (const { explains } of findings) {
    for (const ref of explains) {
      explained.add(endpointKey(ref));
      hosts.add(ref.host);
    }
  }
  const balancers = new Set(index.balancers.map(({ name }) => name));
  return symptoms.filter(
    (symptom) =>
      !explained.has(cellKey(symptom)) && !explained.has(endpointKey(symptom)) && !(balancers.has(symptom.node) && hosts.has(symptom.host)),
  );
}

const compareTexts = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function compareFindings(a: Finding, b: Finding): number {
  return (
    SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) ||
    Number(b.differs) - Number(a.differs) ||
    b.explains.length - a.explains.length ||
    Number(a.certainty === "likely") - Number(b.certainty === "likely") ||
    compareTexts(a.code, b.code) ||
    compareTexts(a.nodes[0] ?? "", b.nodes[0] ?? "") ||
    compareTexts(a.id, b.id)
  );
}
