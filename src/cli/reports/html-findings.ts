import { count } from "../text.ts";
import { escapeMarkup as safe } from "./escape.ts";
import type { Finding } from "./types.ts";

/** Findings on the page; more are counted. */
const MOST_FINDINGS = 500;
const MOST_NAMES = 200;

const TONES = { error: "bad", warning: "warn", notice: "notice" } as const satisfies Record<Finding["severity"], string>;

/** The findings of a page, numbered as the matrix names them. */
export function htmlFindings(findings: readonly Finding[]): string {
  if (findings.length === 0) return "";
  const more =
    findings.length > MOST_FINDINGS
      ? `<p>${count(findings.length - MOST_FINDINGS, "more finding")}: <code>--json</code> has all of them.</p>`
      : "";
  return `<section><h2>What is wrong, and what to do</h2>\n${findings
    .slice(0, MOST_FINDINGS)
    .map((finding, at) => article(finding, at + 1))
    .join("\n")}${more}</section>\n`;
}

function article(finding: Finding, number: number): string {
  const { severity, summary, code, id, proof, remedy, effect } = finding;
  const parts: readonly (readonly [string, string])[] = [
    ["Where", where(finding)],
    [
      "We know",
      `<ul class="facts">${proof.map(({ text, source }) => `<li>${safe(text)} <span class="soft">(${safe(source)})</span></li>`).join("")}</ul>`,
    ],
    ...doubt(finding),
    ["Do", prose(remedy)],
    ["Then", prose(effect)],
  ];
  return `<article id="finding-${number}" class="${TONES[severity]}"><h3><span class="soft">[${number}]</span> ${safe(summary)}</h3>
<p class="soft"><span class="${TONES[severity]}">${severity}</span> · <code>${safe(code)}</code> · <code class="id">${safe(id)}</code></p>
<dl>${parts.map(([term, text]) => `<dt>${term}</dt><dd>${text}</dd>`).join("")}</dl></article>`;
}

/** Commands between backticks as code. */
const prose = (text: string): string => safe(text).replaceAll(/`([^`]+)`/g, "<code>$1</code>");

function where({ nodes, hosts, differs }: Finding): string {
  const on = nodes.length === 0 ? "the farm" : names(nodes);
  const of = hosts.length > 0 ? `: ${names(hosts)}` : nodes.length > 0 ? ", every host" : "";
  return `${on}${of}${differs ? ' <span class="only bad">other nodes are not concerned</span>' : ""}`;
}

function names(all: readonly string[]): string {
  const text = all.slice(0, MOST_NAMES).map(safe).join(", ");
  const more = all.length > MOST_NAMES ? ` and ${all.length - MOST_NAMES} more` : "";
  return all.length > 12 ? `<details><summary>${safe(all[0] ?? "")} and ${all.length - 1} more</summary>${text}${more}</details>` : text;
}

function doubt({ certainty, others = [], decides }: Finding): readonly (readonly [string, string])[] {
  if (certainty === "certain") return [];
  const causes =
    others.length === 0 ? "another cause remains possible" : `another cause remains possible: ${others.map(safe).join("; or ")}`;
  return [["Unsure", decides === undefined ? causes : `${causes}; what would decide: ${prose(decides)}`]];
}
