import type { ExaminedNode } from "../examination.ts";
import type { FindingDraft, Severity } from "../finding.ts";
import { spanText } from "../files/certificate-text.ts";
import { nameSome } from "../name-some.ts";
import type { Rule, RuleResult } from "../rule.ts";
import type { View } from "../view.ts";

const WARNING_MS = 5_000;
const ERROR_MS = 120_000;

/** A node whose clock is wrong. */
export const clockSkew: Rule = {
  code: "clock-skew",
  title: "A clock is wrong",
  severity: "warning",
  tier: "node",
  source: "https://www.rfc-editor.org/rfc/rfc8446#section-8.3",
  explains:
    "The node's clock differs from those of its peers and of this machine. Certificates seem expired or not yet valid to it, tickets and OCSP responses are refused, logs cannot be laid side by side, and Kerberos, with it the share of the central certificates, fails beyond five minutes. " +
    "When all nodes differ from this machine alike, this machine is wrong.",
  remedy:
    "Windows: `w32tm /resync /rediscover`, then `w32tm /query /status`. Linux: `chronyc makestep`, then `chronyc tracking`. Virtual machines: let one source of time only set the clock.",
  check(view) {
    const readings = view.nodes.flatMap((node) => readingOf(view, node));
    if (readings.length === 0)
      return { status: "could-not-look", why: "no node told its time: neither evidence nor an answer with a Date header" };
    const own = ownClock(readings);
    if (own !== undefined) return own;
    const wrong = readings.filter(({ surelyMs }) => surelyMs > WARNING_MS);
    if (wrong.length === 0) return { status: "passed" };
    return { status: "found", findings: wrong.map((reading) => draft(view, reading, readings)) };
  },
};

interface Reading {
  readonly node: string;
  readonly offsetMs: number;
  readonly uncertaintyMs: number;
  /** By how much at least it is off. */
  readonly surelyMs: number;
  readonly source: string;
  /** IIS servers compare themselves with a time server; the others were compared with this machine. */
  readonly isAgainstUs: boolean;
}

function readingOf(view: View, { name, evidence }: ExaminedNode): readonly Reading[] {
  if (evidence?.clock !== undefined) return [{ ...reading(name, evidence.clock), isAgainstUs: evidence.make !== "iis" }];
  const seen = view
    .cellsOf(name)
    .flatMap(({ request, host }) =>
      request?.clockOffsetMs === undefined ? [] : [{ offsetMs: request.clockOffsetMs, tookMs: request.tookMs, host }],
    )
    .toSorted((a, b) => a.offsetMs - b.offsetMs);
  const median = seen[Math.floor(seen.length / 2)];
  if (median === undefined) return [];
  const { offsetMs, tookMs, host } = median;
  return [reading(name, { offsetMs, uncertaintyMs: 500 + tookMs / 2, source: `Date header of ${name} for ${host}` })];
}

const reading = (node: string, { offsetMs, uncertaintyMs, source }: Pick<Reading, "offsetMs" | "uncertaintyMs" | "source">): Reading => ({
  node,
  offsetMs,
  uncertaintyMs,
  source,
  isAgainstUs: true,
  surelyMs: Math.abs(offsetMs) - uncertaintyMs,
});

/** Several nodes that agree with each other and not with us. */
function ownClock(all: readonly Reading[]): RuleResult | undefined {
  const readings = all.filter(({ isAgainstUs }) => isAgainstUs);
  const offsets = readings.map(({ offsetMs }) => offsetMs);
  const [least, most] = [Math.min(...offsets), Math.max(...offsets)];
  const [first] = readings;
  if (first === undefined || readings.length < 2 || most - least > WARNING_MS || readings.some(({ surelyMs }) => surelyMs <= WARNING_MS))
    return undefined;
  return {
    status: "found",
    findings: [
      {
        summary: `The clock of this machine is ${spanText(least)} ${least > 0 ? "behind" : "ahead of"} the clocks of all nodes`,
        nodes: [],
        hosts: [],
        proof: [{ text: nameSome(readings.map(({ node, offsetMs }) => `${node} ${signed(offsetMs)}`)), source: first.source }],
        remedy: "Set the clock of this machine: `w32tm /resync` or `chronyc makestep`.",
        effect: "Verdicts about validity, and the ages in this report, become right.",
        actions: [{ do: "manual", text: "Set the clock of the machine that runs the doctor" }],
        explains: [],
        certainty: "certain",
        severity: severityOf(Math.abs(least)),
      },
    ],
  };
}

const severityOf = (ms: number): Severity => (ms > ERROR_MS ? "error" : "warning");
const signed = (ms: number): string => `${ms < 0 ? "-" : "+"}${Math.round(Math.abs(ms) / 1_000)} s`;

function draft(
  view: View,
  { node, offsetMs, surelyMs, uncertaintyMs, source, isAgainstUs }: Reading,
  readings: readonly Reading[],
): FindingDraft {
  const others = readings.filter((other) => other.node !== node);
  const make = view.nodes.find(({ name }) => name === node)?.evidence?.make;
  return {
    summary: `The clock of ${node} is ${spanText(offsetMs)} ${offsetMs > 0 ? "ahead" : "behind"}`,
    nodes: [node],
    hosts: [],
    proof: [
      { text: `${signed(offsetMs)}, give or take ${Math.ceil(uncertaintyMs / 1_000)} s`, source },
      ...(others.length === 0
        ? []
        : [{ text: nameSome(others.map((other) => `${other.node} ${signed(other.offsetMs)}`)), source: others[0]?.source ?? "" }]),
    ],
    remedy: `Set the clock of ${node} and see why it is not kept.`,
    effect: "Validity of certificates and tickets is judged rightly there.",
    actions: [{ do: "manual", node, text: make === "iis" ? "w32tm /resync /rediscover" : "chronyc makestep" }],
    // certfarm prefers what is valid now, by its own clock; others serve what they were given.
    explains:
      make === "certfarm" && surelyMs > ERROR_MS
        ? view.symptomsOf(node).flatMap(({ host, kind }) => (kind === "validity" || kind === "differs" ? [{ node, host }] : []))
        : [],
    severity: severityOf(surelyMs),
    ...(others.length > 0 || !isAgainstUs
      ? { certainty: "certain" }
      : { certainty: "likely", others: ["the clock of this machine is wrong"], decides: "a time server, or the clock of another node" }),
  };
}
