/**
 * `npm run new:rule CODE`: a rule of the doctor with its table test, and its place in the list of rules. The test fails until the rule
 * finds what its script shows.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";

const rules = new URL("../src/doctor/rules/", import.meta.url);
const code = process.argv[2] ?? "";

if (!/^[a-z][a-z0-9]*(?:-[a-z0-9]+)+$/.test(code)) fail("name the rule in kebab case, two words or more: npm run new:rule key-too-short");
const name = code.replace(/-(.)/g, (_dash, letter) => letter.toUpperCase());
const rule = new URL(`${code}.ts`, rules);
const test = new URL(`${code}.test.ts`, rules);
const index = new URL("index.ts", rules);
if (existsSync(rule) || existsSync(test)) fail(`src/doctor/rules/${code}.ts is there already`);

const list = register(readFileSync(index, "utf8"));
writeFileSync(rule, ruleText());
writeFileSync(test, testText());
writeFileSync(index, list);
console.log(`src/doctor/rules/${code}.ts and its test are made, and the rule is in index.ts.
Write the rule and the test, add a row to src/doctor/testing/catalogue/, then after a build: node scripts/write-findings-pages.mjs`);

/** Prints why nothing was written, and ends. */
function fail(why) {
  console.error(why);
  process.exit(2);
}

/** The list with this rule in it, in the order of the codes. */
function register(text) {
  const imports = [...text.matchAll(/^import \{ (\w+) \} from "\.\/([\w-]+)\.ts";$/gm)].map(([, symbol, file]) => ({ symbol, file }));
  const sorted = [...imports, { symbol: name, file: code }].sort((a, b) => (a.file < b.file ? -1 : 1));
  const head = text.slice(0, text.indexOf(`import { ${imports[0].symbol} }`));
  const comment = text.slice(text.indexOf("/** Every rule"), text.indexOf("export const RULES"));
  const lines = sorted.map(({ symbol, file }) => `import { ${symbol} } from "./${file}.ts";`);
  const entries = sorted.map(({ symbol }) => `  ${symbol},`);
  return `${head}${lines.join("\n")}\n\n${comment}export const RULES: readonly Rule[] = [\n${entries.join("\n")}\n];\n`;
}

function ruleText() {
  return `import type { FindingDraft } from "../finding.ts";
import { result, withoutEvidence } from "../node/rule-results.ts";
import type { Rule } from "../rule.ts";
import type { Evident, View } from "../view.ts";

/** Why this happens, in one sentence. */
export const ${name}: Rule = {
  code: "${code}",
  title: "What is wrong, without a full stop",
  severity: "error",
  tier: "node",
  source: "https://example.com/where-it-is-said",
  explains: "What happens and why, in a few sentences; what clients see of it.",
  remedy: "What to do, with the commands for certfarm, IIS and others where they differ.",
  check(view) {
    const nodes = view.having("table");
    if (nodes.length === 0) return withoutEvidence(view, "table");
    return result(nodes.flatMap((node) => findings(view, node)));
  },
};

/** The findings of one node: none while nothing is wrong. */
function findings(_view: View, _node: Evident<"table">): readonly FindingDraft[] {
  return [];
}
`;
}

function testText() {
  return `import { expect, test } from "vitest";

import { iisNode } from "../testing/evidence.ts";
import { ask, RESET, served, type Script } from "../testing/examination.ts";
import { ${name} } from "./${code}.ts";

const HOST = "www.example.com";

test("names the node that is wrong, and what that explains", () => {
  const { findings, diagnosis } = ask(${name}, {
    cells: { web1: { [HOST]: served(HOST) }, web2: { [HOST]: RESET } },
    evidence: { web1: iisNode([HOST]), web2: iisNode([HOST]) },
  });
  expect(findings).toMatchObject([{ nodes: ["web2"], explains: [{ node: "web2", host: HOST }] }]);
  expect(diagnosis.findings).toHaveLength(1);
});

const others: [string, Script, string][] = [
  ["passes on a healthy node", { evidence: { web1: iisNode([HOST]) } }, "passed"],
  ["cannot look without a table", { cells: { web1: { [HOST]: RESET } } }, "could-not-look"],
];
test.each(others)("%s", (_name, script, status) => {
  expect(ask(${name}, script).status).toBe(status);
});
`;
}
