import type { Rule, Tier } from "./rule.ts";

const HEAD = `# Findings

Every finding of \`certfarm doctor\` comes of a rule. Its code is public: it does not change. \`certfarm doctor rules\` lists the rules,
\`certfarm doctor rule CODE\` prints one of these pages.

A rule found something, passed, did not apply to what was looked at, or could not look because evidence was missing; the report tells which.
Rules about a node come first: what they explain is no symptom for the rules about files and names, and what those explain is none for
the rules that know the wire alone. What no rule explains is reported as \`unexplained\`.

These pages are generated from the rules in \`src/doctor/rules/\` by \`node scripts/write-findings-pages.mjs\`.
`;

const TIERS: Readonly<Record<Tier, string>> = {
  node: "About a node as a whole",
  host: "About a file, a certificate or a name",
  wire: "From what is seen from outside alone",
};

/** The pages of docs/findings/: file name → text. README.md lists all of them. */
export function findingsPages(rules: readonly Rule[]): ReadonlyMap<string, string> {
  return new Map([["README.md", indexPage(rules)], ...rules.map((rule) => [`${rule.code}.md`, rulePage(rule)] as const)]);
}

function indexPage(rules: readonly Rule[]): string {
  const tiers = Object.entries(TIERS).map(([tier, heading]) => {
    const rows = rules
      .filter((rule) => rule.tier === tier)
      .map(({ code, title, severity }) => `| [${code}](${code}.md) | ${title} | ${severity} |`);
    return `## ${heading}\n\n| code | what is wrong | severity |\n|---|---|---|\n${rows.join("\n")}\n`;
  });
  return [HEAD, ...tiers].join("\n");
}

function rulePage({ code, title, severity, tier, source, explains, remedy }: Rule): string {
  return `# ${code}

${title}. Severity: ${severity}. ${TIERS[tier]}.

## What happens

${explains}

## What to do

${remedy}

## Source

${source}
`;
}
