import type { RouteOutput } from "../../admin/client.ts";
import { toFarmError } from "../../base/index.ts";
import type { ExitCode, Session } from "../session.ts";
import { formatTable } from "../table.ts";
import { clean, count, displayWidth, formatAge } from "../text.ts";
import { repeat } from "../repeat.ts";

type Status = RouteOutput<"status">;
type Node = Status["nodes"][number];
type Row = Status["matrix"]["rows"][number];

/** Symbols that say the same without colour. */
const SYMBOLS = { proved: "✓", failed: "✗", pending: "…", unknown: "?" } as const;
const COLOURS = { proved: "green", failed: "red", pending: "yellow", unknown: "gray" } as const;

/** `certfarm status`: 1 when something is wrong. With `watch`, again each second until Ctrl-C. */
export async function status(session: Session, options: { readonly watch?: boolean }): Promise<ExitCode> {
  const client = await session.farm();
  if (options.watch !== true) return show(session, await client.call("status", {}));
  await repeat(session.host.signal, async () => {
    try {
      const present = await client.call("status", {}, { signal: session.host.signal });
      if (session.json) session.host.out.write(`${JSON.stringify(present)}\n`);
      else session.print(`${session.host.out.isTerminal ? "\u001b[H\u001b[2J" : ""}${render(session, present)}`);
    } catch (error) {
      if (!session.host.signal.aborted) session.host.err.write(`certfarm: ${toFarmError(error).message}\n`);
    }
  });
  return 0;
}

function show(session: Session, present: Status): ExitCode {
  if (session.json) session.printJson(present);
  else session.print(render(session, present));
  return present.problems.length === 0 ? 0 : 1;
}

function render(session: Session, present: Status): string {
  return [
    head(session, present),
    nodeTable(session, present),
    balancerLine(session, present),
    matrix(session, present),
    problems(session, present),
  ]
    .filter((part) => part !== "")
    .join("\n");
}

function head({ paint }: Session, { farm, revision, store, at }: Status): string {
  const name = paint("bold", `Farm ${clean(farm ?? "(not configured)")}`);
  if (revision === undefined) return `${name}  no revision yet  store ${clean(store)}\n`;
  return `${name}  revision ${revision.number}, by ${clean(revision.by)} ${formatAge(at - revision.at)} ago  store ${clean(store)}\n`;
}

function nodeTable(session: Session, { nodes }: Status): string {
  if (nodes.length === 0) return "";
  const titles = ["NODE", "STATE", "REVISION", "PROVED", "TABLE", "CONTENT", "OPEN", "HANDSHAKES", "RESUMED", "REFUSED"];
  return formatTable(
    titles,
    nodes.map((node) => nodeRow(session, node)),
    session,
  );
}

function nodeRow({ paint }: Session, node: Node): readonly string[] {
  const { report } = node;
  const name = clean(node.node);
  if (report === undefined) return [name, paint("red", "✗ never reported")];
  const { proved, failed, pending } = report.proof;
  const drift = report.table.drift.length === 0 ? "" : paint("yellow", `, ${report.table.drift.length} differ`);
  return [
    name,
    stateText(paint, node),
    String(report.revision),
    paint(failed > 0 ? "red" : pending > 0 ? "yellow" : "green", `${proved}/${proved + failed + pending}`),
    `${count(report.table.rows, "row")}${drift}`,
    contentText(report.content),
    String(report.resources.connections),
    String(report.handshakes.served),
    String(report.handshakes.resumed),
    String(report.refusals.total),
  ];
}

function stateText(paint: Session["paint"], { state, drained, ageMs, report }: Node): string {
  if (state !== "reporting") return paint("red", `✗ silent ${formatAge(ageMs ?? 0)}`);
  if (drained) return paint("yellow", "… drained");
  if (report?.draining === true) return paint("yellow", "… draining");
  if (report?.staleSince !== undefined) return paint("yellow", "… store away");
  return paint("green", "✓ serving");
}

/** How many folders, and one short digest of them all: equal on nodes that have equal content. */
function contentText(content: NonNullable<Node["report"]>["content"]): string {
  if (content.length === 0) return "-";
  const bad = content.filter(({ problem }) => problem !== undefined).length;
  const digest = content
    .map((folder) => folder.digest.replace(/^sha256:/, "").slice(0, 4))
    .join("")
    .slice(0, 8);
  return bad > 0 ? `${bad} of ${content.length} bad` : `${content.length} ${digest}`;
}

function balancerLine({ paint }: Session, { balancer }: Status): string {
  switch (balancer.kind) {
    case "absent":
      return "";
    case "silent":
      return `Balancer ${paint("red", "✗ does not answer")} at ${clean(balancer.url)}: ${clean(balancer.problem)}\n`;
    case "answers": {
      const there = balancer.nodes.filter(({ inRotation }) => inRotation).length;
      const symbol = there === balancer.nodes.length ? paint("green", "✓") : paint("yellow", "…");
      const open = balancer.failOpen === 0 ? "" : `, ${count(balancer.failOpen, "connection")} sent to nodes without a proof`;
      return `Balancer ${symbol} ${there} of ${count(balancer.nodes.length, "node")} in rotation, ${count(balancer.connections.active, "connection")} open${open}\n`;
    }
  }
}

function matrix(session: Session, { matrix }: Status): string {
  const { nodes, rows, known, cut } = matrix;
  if (rows.length === 0) return "";
  const widest = rows.reduce((width, { host }) => Math.max(width, displayWidth(host)), 4);
  const needed = widest + 8 + nodes.reduce((sum, node) => sum + displayWidth(node) + 2, 0);
  const wide = needed > (session.columns ?? 200);
  const table = wide ? narrowMatrix(session, rows, nodes) : fullMatrix(session, rows, nodes);
  const more = cut ? `${rows.length} of ${known > rows.length ? known : "more"} hosts are shown, those with problems first.\n` : "";
  return `${table}${session.paint("gray", "✓ proved  ✗ failed  … pending  ? unknown  ≠ nodes serve different certificates")}\n${more}`;
}

function fullMatrix(session: Session, rows: readonly Row[], nodes: readonly string[]): string {
  const body = rows.map((row) => [
    clean(row.host),
    `${row.port}${row.differs ? " ≠" : ""}`,
    ...row.cells.map(({ verdict }) => session.paint(COLOURS[verdict], SYMBOLS[verdict])),
  ]);
  return formatTable(["HOST", "PORT", ...nodes.map(clean)], body, session);
}

/** For many nodes: how many proved it, and who did not. */
function narrowMatrix(session: Session, rows: readonly Row[], nodes: readonly string[]): string {
  const body = rows.map((row) => {
    const proved = row.cells.filter(({ verdict }) => verdict === "proved").length;
    const others = row.cells.flatMap(({ verdict }, at) => (verdict === "proved" ? [] : [`${SYMBOLS[verdict]} ${clean(nodes[at] ?? "")}`]));
    const mark = proved === nodes.length ? session.paint("green", "✓") : session.paint("yellow", "…");
    return [clean(row.host), `${row.port}${row.differs ? " ≠" : ""}`, `${mark} ${proved}/${nodes.length}`, others.join(", ")];
  });
  return formatTable(["HOST", "PORT", "PROVED BY", "OTHERS"], body, session);
}

function problems({ paint }: Session, { problems, configProblem }: Status): string {
  if (problems.length === 0) return paint("green", "✓ all is well\n");
  const more = configProblem?.problems.slice(1, 10).map((line) => `    ${clean(line)}`) ?? [];
  return `${[...problems.map((line) => `${paint("red", "✗")} ${clean(line)}`), ...more].join("\n")}\n`;
}
