import type { AgedReport, HostProof } from "../replica/index.ts";

/** What one node proved of one host. `unknown`: its report says nothing of it, or is too old. */
export interface MatrixCell {
  readonly verdict: HostProof["verdict"] | "unknown";
  readonly thumbprint?: string;
  readonly problem?: string;
}

/** A host and what each node proved of it, in the order of the matrix's nodes. */
export interface MatrixRow {
  readonly host: string;
  readonly port: number;
  readonly cells: readonly MatrixCell[];
  /** Nodes proved different certificates. */
  readonly differs: boolean;
}

/** Host × node: what was proved. */
export interface ProofMatrix {
  readonly nodes: readonly string[];
  /** What is wrong first, then by host. */
  readonly rows: readonly MatrixRow[];
  /** Hosts that the reports list; more than `rows` has when it was cut. */
  readonly known: number;
  /** Rows or reports were cut: there are more hosts than are shown. */
  readonly cut: boolean;
}

const MAX_ROWS = 1_000;

/** The matrix of the latest reports; `silentMs` = a report this old says nothing. */
export function buildMatrix(nodes: readonly string[], reports: readonly AgedReport[], silentMs: number): ProofMatrix {
  const columns = new Map(nodes.map((node, at) => [node, at]));
  const rows = new Map<string, { readonly host: string; readonly port: number; readonly cells: MatrixCell[] }>();
  for (const { report, ageMs } of reports) {
    const column = columns.get(report.node);
    if (column === undefined) continue;
    for (const proof of report.proof.hosts) {
      const key = `${proof.host} ${proof.port}`;
      const row = rows.get(key) ?? { host: proof.host, port: proof.port, cells: nodes.map((): MatrixCell => ({ verdict: "unknown" })) };
      rows.set(key, row);
      row.cells[column] = ageMs > silentMs ? { verdict: "unknown" } : cellOf(proof);
    }
  }
  const all = [...rows.values()].map((row) => ({ ...row, differs: differs(row.cells) }));
  all.sort((a, b) => rank(a) - rank(b) || (a.host < b.host ? -1 : a.host > b.host ? 1 : a.port - b.port));
  return {
    nodes,
    rows: all.slice(0, MAX_ROWS),
    known: all.length,
    cut: all.length > MAX_ROWS || reports.some(({ report }) => report.proof.truncated),
  };
}

function cellOf({ verdict, thumbprint, problem }: HostProof): MatrixCell {
  return { verdict, ...(thumbprint === undefined ? {} : { thumbprint }), ...(problem === undefined ? {} : { problem }) };
}

function differs(cells: readonly MatrixCell[]): boolean {
  const proved = cells.filter(({ verdict, thumbprint }) => verdict === "proved" && thumbprint !== undefined);
  return new Set(proved.map(({ thumbprint }) => thumbprint)).size > 1;
}

function rank({ cells, differs }: MatrixRow): number {
  if (cells.some(({ verdict }) => verdict === "failed")) return 0;
  if (differs) return 1;
  return cells.every(({ verdict }) => verdict === "proved") ? 3 : 2;
}
