/**
 * Measures certfarm against the bars it set itself, as ratios to other servers in the same run (docs/performance.md).
 *
 *   node bench/run.mjs [case …] [--node 20|24|PATH …] [--quick] [--dist DIR] [--json FILE]
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";

import { describeMachine, findNode, prepare, ROOT } from "./lib/prepare.mjs";
import { CLIENT_CPU } from "./lib/processes.mjs";

const CASES = [
  "startup",
  "handshake",
  "resumed",
  "storm",
  "propagation",
  "resumption",
  "balancer",
  "requests",
  "audit",
  "drills",
  "scale",
  "etcd-start",
  "apply",
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    node: { type: "string", multiple: true },
    quick: { type: "boolean", default: false },
    dist: { type: "string", default: join(ROOT, "dist") },
    json: { type: "string", default: join(ROOT, ".cache/bench.json") },
  },
});
const unknown = positionals.filter((name) => !CASES.includes(name));
if (unknown.length > 0) {
  console.error(`No such case: ${unknown.join(", ")}. There are: ${CASES.join(" ")}`);
  process.exit(2);
}

const dist = resolve(values.dist);
prepare(dist);
// Clients and this process share a processor; the servers have the other one.
spawnSync("taskset", ["-a", "-c", "-p", CLIENT_CPU, String(process.pid)], { stdio: "ignore" });

const work = mkdtempSync(join(tmpdir(), "certfarm-bench-"));
const machine = describeMachine();
const rows = [];
let problems = 0;
try {
  for (const name of positionals.length > 0 ? positionals : CASES) await runCase(name);
} finally {
  rmSync(work, { recursive: true, force: true });
}
printTable(rows);
mkdirSync(dirname(values.json), { recursive: true });
writeFileSync(values.json, `${JSON.stringify({ at: new Date().toISOString(), quick: values.quick, machine, rows }, undefined, 2)}\n`);
const missed = rows.filter((row) => row.met === false).length;
console.log(
  `\n${rows.length} figures, ${missed} of them beyond their bar${problems > 0 ? `, ${problems} cases failed` : ""}. ${values.json}`,
);
process.exit(problems > 0 ? 1 : 0);

async function runCase(name) {
  const bench = await import(`./cases/${name}.mjs`);
  const nodes = (values.node ?? bench.nodes).map(findNode);
  let folders = 0;
  console.log(`\n${name}`);
  try {
    await bench.run({
      quick: values.quick,
      dist,
      nodes,
      folder(what) {
        const path = join(work, `${name}-${what}-${(folders += 1)}`);
        mkdirSync(path, { recursive: true });
        return path;
      },
      report: (figure) => report(name, figure),
    });
  } catch (error) {
    problems += 1;
    console.error(`  ${name} failed: ${error instanceof Error ? error.stack : String(error)}`);
  }
}

/** `bar` is the most that is allowed, or the least with `atLeast`; a figure without one is shown only. */
function report(name, { what, figure, unit, bar, atLeast = false, note = "" }) {
  const met = bar === undefined ? undefined : atLeast ? figure >= bar : figure <= bar;
  const row = { case: name, what, figure, unit, ...(bar === undefined ? {} : { bar, atLeast, met }), note };
  rows.push(row);
  console.log(
    `  ${what}: ${figure} ${unit}${bar === undefined ? "" : ` (bar ${atLeast ? "≥" : "≤"} ${bar}: ${met ? "met" : "NOT met"})`}${note === "" ? "" : ` · ${note}`}`,
  );
}

function printTable(all) {
  const cells = all.map((row) => [
    row.case,
    row.what,
    `${row.figure} ${row.unit}`.trim(),
    row.bar === undefined ? "" : `${row.atLeast ? "≥" : "≤"} ${row.bar}`,
    row.met === undefined ? "" : row.met ? "met" : "NOT met",
  ]);
  const table = [["case", "what", "figure", "bar", ""], ...cells];
  const widths = table[0].map((_, column) => Math.max(...table.map((line) => line[column].length)));
  console.log(
    `\n${Object.entries(machine)
      .map(([what, version]) => `${what} ${version}`)
      .join(", ")}\n`,
  );
  for (const line of table)
    console.log(
      line
        .map((cell, column) => cell.padEnd(widths[column]))
        .join("  ")
        .trimEnd(),
    );
}
