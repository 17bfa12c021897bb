import { createRow, formatTable, parseRowKey, rowKeyText, type Row } from "../bindings/index.ts";
import { FarmError } from "../base/index.ts";
import { formatTrail, type Decision } from "../handshake/index.ts";
import type { ExplainQuestion, RefusalEntry } from "../node/index.ts";
import type { HostProof } from "../replica/index.ts";
import { createAsker, type Asker, type AskParts, type PerNode } from "./ask-nodes.ts";
import type { FarmView } from "./present-farm.ts";

/** A node's binding table. `text` is in the format that was asked for. */
export interface BindingsAnswer {
  readonly rows: readonly (Row & { readonly text: string; readonly thumbprint?: string })[];
  readonly drift: readonly string[];
  readonly reconcile: "mend" | "observe";
  readonly text: string;
}

/** A node's decision for a name, with the trail as lines. */
export interface ExplainedName {
  readonly question: { readonly serverName?: string; readonly address: string; readonly port: number };
  readonly decision: Decision;
  readonly lines: readonly string[];
  readonly proof?: HostProof;
}

/** A node's refusals and where to go on. */
export interface RefusalsAnswer {
  readonly entries: readonly RefusalEntry[];
  /** Entries between the cursor and the first one here that are no longer kept. */
  readonly dropped: number;
  readonly total: number;
}

/** A row as an operator writes it. */
export interface NewRow {
  /** `ip:10.0.0.4:443`, `host:NAME:443`, `central:443`, `any:0.0.0.0:443`, or a spelling of netsh. */
  readonly row: string;
  readonly file?: string;
  readonly appId?: string;
}

/** Which refusals. */
export interface RefusalsRequest {
  readonly node?: string;
  /** What the last answer gave: those that came since. Absent = the newest. */
  readonly cursor?: string;
  readonly limit: number;
}

/** The use cases that ask nodes. */
export interface NodeVerbs {
  bindings(node: string | undefined, format: "table" | "netsh" | "json"): Promise<readonly PerNode<BindingsAnswer>[]>;
  addBinding(node: string, row: NewRow): Promise<{ readonly row: Row; readonly text: string; readonly kept: boolean }>;
  deleteBinding(node: string, row: string): Promise<{ readonly text: string }>;
  explain(node: string | undefined, question: ExplainQuestion): Promise<readonly PerNode<ExplainedName>[]>;
  /** `cursor` is what the last answer gave; absent = from the oldest kept. */
  refusals(request: {
    node?: string;
    cursor?: string;
    limit: number;
  }): Promise<{ nodes: readonly PerNode<RefusalsAnswer>[]; cursor: string }>;
  prove(
    node: string | undefined,
    hosts: readonly string[] | undefined,
  ): Promise<readonly PerNode<{ readonly hosts: readonly HostProof[] }>[]>;
}

const PROVE_MS = 60_000;
const FILES_LOOKED_AT = 1_000;

/** The use cases that ask nodes over the store. */
export function createNodeVerbs(parts: AskParts, farm: FarmView): NodeVerbs {
  const nodes = createAsker(parts, farm);
  const { ask, each } = nodes;
  return {
    bindings: (node, format) => each(node, (name) => readBindings(nodes, name, format)),
    async addBinding(node, { row, file, appId }) {
      await farm.chosen(node);
      const more = { ...(file === undefined ? {} : { file }), ...(appId === undefined ? {} : { appId }) };
      const made = createRow({ key: parseRowKey(row), origin: "operator", ...more });
      const added = await ask(node, "table.add", { row: made });
      return { row: added.row, text: rowKeyText(added.row.key), kept: added.kept };
    },
    async deleteBinding(node, row) {
      await farm.chosen(node);
      const { key } = await ask(node, "table.delete", { key: parseRowKey(row) });
      return { text: rowKeyText(key) };
    },
    explain: (node, question) =>
      each(node, async (name) => {
        const { question: asked, decision, proof } = await ask(name, "explain", question);
        return { question: asked, decision, lines: formatTrail(decision), ...(proof === undefined ? {} : { proof }) };
      }),
    refusals: (request) => readRefusals(nodes, request),
    prove: (node, hosts) => each(node, (name) => ask(name, "prove", hosts === undefined ? {} : { hosts }, { timeoutMs: PROVE_MS })),
  };
}

async function readBindings({ ask }: Asker, node: string, format: "table" | "netsh" | "json"): Promise<BindingsAnswer> {
  const { rows, drift, reconcile } = await ask(node, "table.show", {});
  const prints = rows.some(({ file }) => file !== undefined) ? await thumbprints(ask, node) : new Map<string, string>();
  const text = formatTable({ rows }, { format, thumbprintOf: (file) => prints.get(file) });
  return { rows: rows.map((row) => describeRow(row, prints)), drift, reconcile, text };
}

async function thumbprints(ask: Asker["ask"], node: string): Promise<ReadonlyMap<string, string>> {
  const { files } = await ask(node, "certificates", { limit: FILES_LOOKED_AT });
  return new Map(files.flatMap(({ file, thumbprint }) => (thumbprint === undefined ? [] : [[file, thumbprint] as const])));
}

function describeRow(row: Row, prints: ReadonlyMap<string, string>): BindingsAnswer["rows"][number] {
  const thumbprint = row.file === undefined ? undefined : prints.get(row.file);
  return { ...row, text: rowKeyText(row.key), ...(thumbprint === undefined ? {} : { thumbprint }) };
}

async function readRefusals({ ask, each }: Asker, { node, cursor, limit }: RefusalsRequest): ReturnType<NodeVerbs["refusals"]> {
  const after = readCursor(cursor);
  const nodes = await each(node, async (name) => {
    // The newest ones; how many there are, only the node knows.
    const from = after.get(name) ?? Math.max(0, (await ask(name, "refusals", { after: 0, limit: 1 })).total - limit);
    after.set(name, from);
    return ask(name, "refusals", { after: from, limit });
  });
  for (const each of nodes) if (each.kind === "answer") after.set(each.node, nextAfter(each.answer, after.get(each.node) ?? 0));
  return { nodes, cursor: writeCursor(after) };
}

/** A node that was started again counts from one: its cursor goes back with it. */
function nextAfter({ entries, total }: RefusalsAnswer, before: number): number {
  return entries.at(-1)?.sequence ?? Math.min(before, total);
}

const MAX_CURSOR = 64 * 1024;

/** `web1:17,web2:4` */
function readCursor(cursor = ""): Map<string, number> {
  const after = new Map<string, number>();
  if (cursor === "") return after;
  if (cursor.length > MAX_CURSOR) throw invalidCursor(cursor);
  for (const part of cursor.split(",")) {
    const match = /^([^:,]{1,200}):(\d{1,15})$/.exec(part);
    if (match === null) throw invalidCursor(part);
    after.set(match[1] ?? "", Number(match[2]));
  }
  return after;
}

const invalidCursor = (text: string): FarmError =>
  new FarmError("ADMIN_INPUT_INVALID", `${JSON.stringify(text.slice(0, 100))} is not a cursor: give the one of the last answer`);

const writeCursor = (after: ReadonlyMap<string, number>): string => [...after].map(([node, sequence]) => `${node}:${sequence}`).join(",");
