import type { Instant } from "../base/index.ts";
import type { Row, RowKey } from "../bindings/index.ts";
import type { FileReport } from "../certificates/index.ts";
import type { Decision, RefusalCode } from "../handshake/index.ts";
import type { HostProof } from "../replica/index.ts";

/** A ClientHello that got no certificate, or a handshake that failed after it did. */
export interface RefusalEntry {
  /** Grows by one with each refusal of this node's process. */
  readonly sequence: number;
  readonly at: Instant;
  readonly reason: RefusalCode;
  /** Name that was asked for, safe to print; absent when no SNI was sent. */
  readonly serverName?: string;
  readonly client: string;
  readonly local: string;
  /** Offered versions and ALPN, as text. */
  readonly versions: readonly string[];
  readonly alpn: readonly string[];
  readonly alert?: string;
  /** One sentence, and the trail's last step. */
  readonly detail: string;
}

/** What `explain` asks a node. */
export interface ExplainQuestion {
  /** Absent = a client without SNI. */
  readonly serverName?: string;
  /** Absent = the node's first address. */
  readonly address?: string;
  readonly port: number;
}

/** A node's answer: the decision its own table and files lead to, and what its self-proof saw. */
export interface ExplainAnswer {
  readonly node: string;
  readonly question: Required<Omit<ExplainQuestion, "serverName">> & { readonly serverName?: string };
  readonly decision: Decision;
  readonly proof?: HostProof;
}

/** The verbs a node answers over the store: input and output of each. */
export interface NodeRequestMap {
  "table.show": { input: Record<string, never>; output: { rows: readonly Row[]; drift: readonly string[]; reconcile: "mend" | "observe" } };
  /** `kept: false`: the reconciler took the row out again at once, because it shadowed what the configuration asks for. */
  "table.add": { input: { row: Row }; output: { row: Row; kept: boolean } };
  "table.delete": { input: { key: RowKey }; output: { key: RowKey } };
  explain: { input: ExplainQuestion; output: ExplainAnswer };
  /** Entries with a sequence greater than `after` (0 = from the oldest kept), oldest first. */
  refusals: { input: { after: number; limit: number }; output: { entries: readonly RefusalEntry[]; dropped: number; total: number } };
  /** Dials these hosts now (all of them when absent) and answers what was seen. */
  prove: { input: { hosts?: readonly string[] }; output: { hosts: readonly HostProof[] } };
  certificates: { input: { limit: number }; output: { files: readonly FileReport[] } };
}
