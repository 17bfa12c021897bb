import type { Look } from "../look.ts";
import { brief, count } from "../text.ts";
import { nameHosts } from "./render-matrix.ts";
import type { Finding } from "./types.ts";
import { wrap } from "./wrap.ts";

/** Findings told in full; more are counted. */
const MOST_FINDINGS = 30;
const PAGE_COLUMNS = 120;
const LABEL = 12;
const SIGNS = { error: "bad", warning: "warn", notice: "notice" } as const satisfies Record<Finding["severity"], keyof Look["symbols"]>;
const COLOURS = { error: "red", warning: "yellow", notice: "cyan" } as const satisfies Record<Finding["severity"], string>;

/** The findings, each as a colleague would tell it; numbered as in the matrix. */
export function renderFindings(findings: readonly Finding[], look: Look): string {
  const told = findings.slice(0, MOST_FINDINGS).map((finding, at) => renderFinding(finding, at + 1, look));
  const more =
    findings.length > MOST_FINDINGS ? [`${count(findings.length - MOST_FINDINGS, "more finding")}: --json and --html show all\n`] : [];
  return [...told, ...more].join("\n");
}

function renderFinding(finding: Finding, number: number, look: Look): string {
  const { paint, symbols } = look;
  const width = Math.max(40, look.columns ?? PAGE_COLUMNS);
  const mark = paint(COLOURS[finding.severity], symbols[SIGNS[finding.severity]]);
  const [first = "", ...rest] = wrap(brief(finding.summary), width - 6 - String(number).length);
  const lines = [`[${number}] ${mark} ${paint("bold", first)}`, ...rest.map((line) => `    ${paint("bold", line)}`)];
  for (const [label, text] of partsOf(finding)) {
    const [start = "", ...others] = wrap(text, width - LABEL - 4);
    lines.push(
      `    ${paint("gray", label)}${" ".repeat(LABEL - label.length)}${start}`,
      ...others.map((line) => `    ${" ".repeat(LABEL)}${line}`),
    );
  }
  return `${lines.join("\n")}\n`;
}

/** What is told of a finding, label by label. */
function partsOf(finding: Finding): readonly (readonly [string, string])[] {
  const { proof, remedy, effect, code, id } = finding;
  return [
    ["where", whereText(finding)],
    ...proof.map(({ text, source }, at): readonly [string, string] => [at === 0 ? "we know" : "", `${brief(text)} (${brief(source)})`]),
    ...doubtText(finding),
    ["do", brief(remedy)],
    ["then", brief(effect)],
    ["name", `${brief(code)} ${brief(id)}`],
  ];
}

/** On which nodes and hosts. */
function whereText({ nodes, hosts, differs, explains }: Finding): string {
  const on = nodes.length === 0 ? "the farm" : nameHosts(nodes, 6);
  const of = hosts.length === 0 ? (nodes.length === 0 ? "" : ", every host") : `: ${nameHosts(hosts)}`;
  const cells = new Set(explains.map(({ node, host }) => `${node} ${host}`)).size;
  const only = differs ? "; other nodes are not concerned" : "";
  return `${on}${of}${only}${cells === 0 ? "" : `; explains ${count(cells, "cell")}`}`;
}

/** `another cause remains possible: …; … would decide`. */
export function doubtText({
  certainty,
  others = [],
  decides,
}: Pick<Finding, "certainty" | "others" | "decides">): readonly (readonly [string, string])[] {
  if (certainty === "certain") return [];
  const causes =
    others.length === 0 ? "another cause remains possible" : `another cause remains possible: ${others.map(brief).join("; or ")}`;
  return [["unsure", decides === undefined ? causes : `${causes}; what would decide: ${brief(decides)}`]];
}
