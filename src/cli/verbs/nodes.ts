import type { RouteOutput } from "../../admin/client.ts";
import { repeat } from "../repeat.ts";
import type { ExitCode, Session } from "../session.ts";
import { formatTable } from "../table.ts";
import { clean, count, formatTime } from "../text.ts";
import { codeOf, onNode, problemText } from "./answers.ts";

type Refusals = RouteOutput<"refusals">["nodes"];

/** `certfarm bindings show`. */
export async function showBindings(
  session: Session,
  options: { readonly node?: string; readonly format?: "table" | "netsh" | "json" },
): Promise<ExitCode> {
  const client = await session.farm();
  const format = session.json ? "json" : (options.format ?? "table");
  const { nodes } = await client.call("bindings.show", { ...onNode(options.node), format });
  if (format === "json")
    session.printJson(nodes.map((each) => (each.kind === "answer" ? { node: each.node, ...omitText(each.answer) } : each)));
  else {
    for (const each of nodes) {
      if (each.kind === "problem") session.host.err.write(problemText(session, each.node, each.problem));
      else {
        if (nodes.length > 1) session.print(session.paint("bold", `${clean(each.node)}:`));
        session.print(each.answer.text);
        for (const line of each.answer.drift) session.print(`${session.paint("yellow", "≠")} ${clean(line)}`);
        if (nodes.length > 1) session.print("");
      }
    }
  }
  return codeOf(nodes);
}

function omitText<T extends { readonly text: string }>({ text: _text, ...rest }: T): Omit<T, "text"> {
  return rest;
}

/** `certfarm bindings add`. */
export async function addBinding(
  session: Session,
  row: string,
  options: { readonly node: string; readonly file?: string; readonly appId?: string },
): Promise<ExitCode> {
  const client = await session.farm();
  const added = await client.call("bindings.add", { ...options, row });
  const [text, node] = [clean(added.text), clean(options.node)];
  if (session.json) session.printJson(added);
  else if (added.kept) session.print(`${session.paint("green", "✓")} ${text} is in the table of ${node}`);
  else
    session.print(
      `${session.paint("yellow", "≠")} ${text} would shadow what the configuration asks for: the reconciler of ${node} took it out again`,
    );
  return 0;
}

/** `certfarm bindings delete`. */
export async function deleteBinding(session: Session, row: string, options: { readonly node: string }): Promise<ExitCode> {
  const client = await session.farm();
  const gone = await client.call("bindings.delete", { ...options, row });
  if (session.json) session.printJson(gone);
  else session.print(`${session.paint("green", "✓")} ${clean(gone.text)} is out of the table of ${clean(options.node)}`);
  return 0;
}

/** `certfarm refusals`: what is kept, oldest first; with `follow` also what comes, until Ctrl-C. */
export async function refusals(
  session: Session,
  options: { readonly node?: string; readonly follow?: boolean; readonly limit?: number },
): Promise<ExitCode> {
  const client = await session.farm();
  const limit = options.limit === undefined ? {} : { limit: options.limit };
  const first = await client.call("refusals", { ...onNode(options.node), ...limit });
  if (options.follow !== true) {
    if (session.json) session.printJson(first.nodes);
    else session.print(renderRefusals(session, first.nodes));
    return codeOf(first.nodes);
  }
  let { cursor } = first;
  printFollowed(session, first.nodes);
  await repeat(session.host.signal, async () => {
    try {
      const next = await client.call("refusals", { ...onNode(options.node), ...limit, cursor }, { signal: session.host.signal });
      ({ cursor } = next);
      printFollowed(session, next.nodes);
    } catch (error) {
      if (!session.host.signal.aborted) throw error;
    }
  });
  return 0;
}

const merged = (nodes: Refusals) =>
  nodes
    .flatMap((each) => (each.kind === "answer" ? each.answer.entries.map((entry) => ({ node: each.node, ...entry })) : []))
    .sort((a, b) => a.at - b.at);

function printFollowed(session: Session, nodes: Refusals): void {
  for (const each of nodes) if (each.kind === "problem") session.host.err.write(problemText(session, each.node, each.problem));
  for (const entry of merged(nodes)) {
    if (session.json) session.host.out.write(`${JSON.stringify(entry)}\n`);
    else session.print(refusalCells(entry).join("  "));
  }
}

const refusalCells = (entry: ReturnType<typeof merged>[number]): readonly string[] => [
  formatTime(entry.at),
  clean(entry.node),
  entry.reason,
  clean(entry.serverName ?? "(no SNI)"),
  clean(entry.client),
  clean(entry.local),
  clean(entry.detail),
];

function renderRefusals(session: Session, nodes: Refusals): string {
  const rows = merged(nodes).map(refusalCells);
  const problems = nodes.flatMap((each) => (each.kind === "problem" ? [problemText(session, each.node, each.problem)] : []));
  const total = nodes.reduce((sum, each) => sum + (each.kind === "answer" ? each.answer.total : 0), 0);
  if (rows.length === 0) return [...problems, `${session.paint("green", "✓")} no refusals`].join("");
  const more = total > rows.length ? `${rows.length} of ${count(total, "refusal")} are shown.\n` : "";
  return [formatTable(["WHEN", "NODE", "REASON", "NAME", "CLIENT", "LOCAL", "DETAIL"], rows, session), ...problems, more].join("");
}

/** `certfarm drain`. */
export async function drain(session: Session, node: string): Promise<ExitCode> {
  const client = await session.farm();
  const done = await client.call("drain", { node, by: session.host.user });
  if (session.json) session.printJson({ ...done, drained: true });
  else session.print(`${session.paint("green", "✓")} ${clean(node)} gets no new connections; undo with: certfarm undrain ${clean(node)}`);
  return 0;
}

/** `certfarm undrain`. */
export async function undrain(session: Session, node: string): Promise<ExitCode> {
  const client = await session.farm();
  const done = await client.call("undrain", { node });
  if (session.json) session.printJson({ ...done, drained: false });
  else session.print(`${session.paint("green", "✓")} ${clean(node)} gets new connections again`);
  return 0;
}

/** `certfarm prove`: 1 when a node failed to prove a host. */
export async function prove(session: Session, hosts: readonly string[], options: { readonly node?: string }): Promise<ExitCode> {
  const client = await session.farm();
  const { nodes } = await client.call("prove", { ...onNode(options.node), ...(hosts.length === 0 ? {} : { hosts }) });
  if (session.json) session.printJson(nodes);
  else session.print(renderProofs(session, nodes));
  const failed = nodes.some((each) => each.kind === "answer" && each.answer.hosts.some(({ verdict }) => verdict === "failed"));
  const code = codeOf(nodes);
  return code === 0 && failed ? 1 : code;
}

function renderProofs(session: Session, nodes: RouteOutput<"prove">["nodes"]): string {
  const symbol = { proved: session.paint("green", "✓"), failed: session.paint("red", "✗"), pending: session.paint("yellow", "…") } as const;
  const rows = nodes.flatMap((each) =>
    each.kind === "problem"
      ? []
      : each.answer.hosts.map((proof) => [
          clean(each.node),
          `${symbol[proof.verdict]} ${proof.verdict}`,
          clean(proof.host),
          String(proof.port),
          proof.thumbprint ?? "-",
          clean(proof.problem ?? ""),
        ]),
  );
  const problems = nodes.flatMap((each) => (each.kind === "problem" ? [problemText(session, each.node, each.problem)] : []));
  return [formatTable(["NODE", "VERDICT", "HOST", "PORT", "THUMBPRINT", "PROBLEM"], rows, session), ...problems].join("");
}
