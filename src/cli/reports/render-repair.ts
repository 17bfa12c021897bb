import type { RouteOutput } from "../../admin/client.ts";
import type { Look } from "../look.ts";
import { formatTable } from "../table.ts";
import { clean, count, formatAge, formatTime } from "../text.ts";
import { nameHosts } from "./render-matrix.ts";

type Plan = RouteOutput<"repair.plan">;
type Result = RouteOutput<"repair.run">;
type Run = RouteOutput<"repair.history">["runs"][number];
type Step = Run["nodes"][number]["steps"][number];

/** What a repair would do, before it is agreed to. */
export function renderPlan(plan: Plan, look: Look): string {
  const { paint, symbols } = look;
  const steps = plan.nodes.reduce((sum, node) => sum + node.steps.length, 0);
  const nodes = plan.nodes.filter((node) => node.steps.length > 0).map((node) => nodePlan(node, look));
  const parts = [
    plan.interrupted.length === 0
      ? ""
      : `${paint("yellow", symbols.warn)} ${count(plan.interrupted.length, "repair")} ended in the middle (${nameHosts(plan.interrupted)}); the node concerned is finished first.\n`,
    steps === 0
      ? `${paint("green", symbols.good)} there is nothing to mend by itself\n`
      : `${count(steps, "step")}, one node after the other: drain, act, prove by handshakes, undrain. What makes a proof worse is undone.\n`,
    ...nodes,
    ...plan.refused.map(
      ({ node, findings, why }) =>
        `${paint("red", symbols.bad)} ${clean(node)} is left alone: ${clean(why)} (${findings.map(clean).join(", ")})\n`,
    ),
    manualText(plan.manual, look),
  ];
  return symbols.fit(parts.filter((part) => part !== "").join("\n"));
}

function nodePlan({ node, steps, mends }: Plan["nodes"][number], { paint }: Look): string {
  const lines = steps.flatMap(({ text, changes, findings }, at) => [
    `  ${at + 1}. ${clean(text)} (${findings.map(clean).join(", ")})`,
    `     ${paint("gray", "then")} ${clean(changes)}`,
  ]);
  const mended = mends.length === 0 ? "" : `     ${paint("gray", "mends")} ${count(mends.length, "host")}: ${nameHosts(mends)}\n`;
  return `${paint("bold", clean(node))}\n${lines.join("\n")}\n${mended}`;
}

function manualText(manual: Plan["manual"], { paint, symbols }: Look): string {
  if (manual.length === 0) return "";
  const lines = manual.map(
    ({ finding, node, text }) => `  ${symbols.none} ${node === undefined ? "" : `${clean(node)}: `}${clean(text)} (${clean(finding)})`,
  );
  return `${paint("yellow", symbols.warn)} Only a person can do this:\n${lines.join("\n")}\n`;
}

/** How a repair ended, and the proof of each step. */
export function renderResult({ outcome, run, recovered, plan }: Result, look: Look): string {
  const { paint, symbols } = look;
  const heads = {
    mended: paint("green", `${symbols.good} mended, and proved by handshakes`),
    "nothing-to-do": paint("green", `${symbols.good} nothing had to be done`),
    "not-mended": paint("yellow", `${symbols.warn} done, but not everything is served yet`),
    stopped: paint("red", `${symbols.bad} stopped`),
  } as const;
  const parts = [
    ...recovered.map((each) => runText(each, look)),
    run === undefined ? "" : runText(run, look),
    manualText(plan.manual, look),
    `${heads[outcome]}${run?.why === undefined ? "" : `: ${clean(run.why)}`}\n${outcome === "mended" ? "" : `${symbols.next} certfarm doctor\n`}`,
  ];
  return symbols.fit(parts.filter((part) => part !== "").join("\n"));
}

const STATES = {
  waiting: ["none", "gray", "not begun"],
  begun: ["warn", "yellow", "begun, its end is not known"],
  acted: ["warn", "yellow", "done, not proved"],
  proved: ["good", "green", "done and proved"],
  "no-better": ["warn", "yellow", "done, but nothing is better"],
  undone: ["bad", "red", "undone: a proof got worse"],
  "undo-failed": ["bad", "red", "a proof got worse, and it could not be undone"],
  failed: ["bad", "red", "failed"],
} as const satisfies Record<Step["state"], readonly [keyof Look["symbols"], Parameters<Look["paint"]>[0], string]>;

function runText({ id, nodes }: Run, look: Look): string {
  const lines = nodes.flatMap(({ node, drained, steps }) => [
    look.paint("bold", `${clean(node)}${drained === "yes" ? " (still drained)" : ""}`),
    ...steps.map((step) => `  ${stepText(step, look)}`),
  ]);
  return `${look.paint("gray", `repair ${clean(id)}`)}\n${lines.join("\n")}\n`;
}

function stepText({ state, text, problem, mended = 0 }: Step, { paint, symbols }: Look): string {
  const [sign, colour, words] = STATES[state];
  const proof =
    mended === 0 ? "" : `: ${count(mended, "host is", "hosts are")} served now that ${mended === 1 ? "was" : "were"} not before`;
  return `${paint(colour, symbols[sign])} ${clean(text)}: ${words}${proof}${problem === undefined ? "" : ` (${clean(problem)})`}`;
}

/** Repairs, newest first. */
export function renderHistory(runs: readonly Run[], look: Look): string {
  if (runs.length === 0) return "no repairs yet";
  const rows = runs.map(({ id, by, startedAt, endedAt, outcome, why = "", nodes }) => [
    formatTime(startedAt),
    clean(id),
    endedAt === undefined ? look.symbols.none : formatAge(endedAt - startedAt),
    outcome,
    nodes.map(({ node, steps }) => `${clean(node)} ${steps.filter(({ state }) => state === "proved").length}/${steps.length}`).join(", "),
    clean(by),
    clean(why),
  ]);
  return look.symbols.fit(formatTable(["WHEN", "REPAIR", "TOOK", "OUTCOME", "PROVED STEPS", "BY", "WHY"], rows, look));
}
