import type { RouteOutput } from "../../admin/client.ts";
import { FarmError, requireEndpoint } from "../../base/index.ts";
import type { ExitCode, Session } from "../session.ts";
import { clean } from "../text.ts";
import { codeOf, onNode, problemText, type Answers } from "./answers.ts";

type Explained = Extract<RouteOutput<"explain">["nodes"][number], { kind: "answer" }>["answer"];
type ExplainedHere = Extract<RouteOutput<"explain.evidence">["nodes"][number], { kind: "answer" }>["answer"];

/** Options of `certfarm explain`. */
export interface ExplainOptions {
  readonly node?: string;
  readonly at?: string;
  readonly port?: number;
  /** False with --no-sni. */
  readonly sni: boolean;
  /** Files that evidence of servers is in: then no farm is asked. */
  readonly evidence?: readonly string[];
  readonly share?: string;
  readonly passwordFile?: string;
}

/** `certfarm explain`: 1 when a node refuses the name. */
export async function explain(session: Session, host: string | undefined, options: ExplainOptions): Promise<ExitCode> {
  if (host === undefined && options.sni) throw new FarmError("USAGE", "name the host to explain, or give --no-sni");
  const asked = { ...onNode(options.node), ...(options.sni && host !== undefined ? { serverName: host } : {}), ...placeOf(options) };
  if (options.evidence !== undefined) return explainEvidence(session, asked, { ...options, evidence: options.evidence });
  if (options.share !== undefined || options.passwordFile !== undefined)
    throw new FarmError("USAGE", "--share and --password-file go with --evidence");
  const client = await session.farm();
  const { nodes } = await client.call("explain", asked);
  if (session.json) session.printJson(nodes);
  else session.print(renderExplained(session, nodes, (answer) => explainedText(session, answer)));
  const code = codeOf(nodes);
  return code === 0 && nodes.some((each) => each.kind === "answer" && each.answer.decision.kind !== "serve") ? 1 : code;
}

interface Asked {
  readonly node?: string;
  readonly serverName?: string;
  readonly address?: string;
  readonly port: number;
}

/** By the evidence of servers with IIS. */
async function explainEvidence(
  session: Session,
  asked: Asked,
  options: ExplainOptions & { readonly evidence: readonly string[] },
): Promise<ExitCode> {
  const { evidence, share, passwordFile } = options;
  const client = await session.here();
  const { nodes } = await client.call("explain.evidence", {
    ...asked,
    evidence: [...evidence],
    ...(share === undefined ? {} : { share }),
    ...(passwordFile === undefined ? {} : { passwordFile }),
  });
  if (session.json) session.printJson(nodes);
  else session.print(renderExplained(session, nodes, ({ lines }) => trailText(session, asked, lines)));
  const code = codeOf(nodes);
  return code === 0 && nodes.some((each) => each.kind === "answer" && each.answer.outcome !== "serve") ? 1 : code;
}

/** The address and port of the binding. @throws ENDPOINT_INVALID */
function placeOf({ at, port = 443 }: ExplainOptions): { readonly address?: string; readonly port: number } {
  return at === undefined ? { port } : requireEndpoint(at);
}

/** Nodes whose answers are alike share one trail. */
function renderExplained<T extends Explained | ExplainedHere>(session: Session, nodes: Answers<T>, textOf: (answer: T) => string): string {
  const groups = new Map<string, { readonly nodes: string[]; readonly text: string }>();
  const problems: string[] = [];
  for (const each of nodes) {
    if (each.kind === "problem") {
      problems.push(problemText(session, each.node, each.problem));
      continue;
    }
    const text = textOf(each.answer);
    const group = groups.get(text);
    if (group === undefined) groups.set(text, { nodes: [each.node], text });
    else group.nodes.push(each.node);
  }
  const parts = [...groups.values()].map((group) => `${session.paint("bold", `${group.nodes.map(clean).join(", ")}:`)}\n${group.text}`);
  return [...parts, ...problems].join("\n");
}

function explainedText(session: Session, { question, lines, proof }: Explained): string {
  const proved = question.serverName === undefined ? "" : `  ${proofText(proof)}\n`;
  return trailText(session, question, lines) + proved;
}

function trailText({ paint }: Session, { serverName, address, port }: Asked, lines: readonly string[]): string {
  const who = serverName === undefined ? "a client without SNI" : `a client that asks for ${clean(serverName)}`;
  const colour = (line: string): string => (line.startsWith("✓") ? paint("green", line) : line.startsWith("✗") ? paint("red", line) : line);
  return [
    `  ${who} on ${address === undefined ? "" : `${clean(address)} `}port ${port}`,
    ...lines.map((line) => `  ${colour(clean(line))}`),
    "",
  ].join("\n");
}

function proofText(proof: Explained["proof"]): string {
  if (proof === undefined) return "? the self-proof has not dialled this name";
  if (proof.verdict === "pending") return "… the self-proof is under way";
  const seen = proof.thumbprint === undefined ? "" : `, saw ${proof.thumbprint}`;
  if (proof.verdict === "proved") return `✓ proved by the node's own dial${seen}`;
  return `✗ the node's own dial failed${seen}: ${clean(proof.problem ?? proof.reason ?? "no reason given")}`;
}
