import type { Instant } from "../base/index.ts";
import type { Drift, Row, RowKey } from "../bindings/index.ts";
import type { FileReport } from "../certificates/index.ts";
import type { ResyncPart } from "../doctor/index.ts";
import type { Decision, RefusalCode } from "../handshake/index.ts";
import type { HostProof, NodeReport } from "../replica/index.ts";
import type { DrillOrder, DrillState } from "./drills/types.ts";

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

/** What a node tells the doctor of itself. Bounded: it has to fit into one answer. */
export interface EvidenceAnswer {
  /** The node's clock when it answered. */
  readonly now: Instant;
  /** What it reports; of the proofs the counts alone. */
  readonly report: Omit<NodeReport, "proof"> & { readonly proof: Pick<NodeReport["proof"], "proved" | "failed" | "pending"> };
  /** Rows that take handshakes from others first; `report.table.rows` says how many there are. */
  readonly rows: readonly Row[];
  readonly drift: readonly Drift[];
  /** Files it has read, unusable ones first; `report.certificates.read` says how many there are. */
  readonly files: readonly FileReport[];
  /** Refusals of the last minutes by reason, as far as they are kept. */
  readonly recentRefusals: { readonly since: Instant; readonly byReason: Readonly<Partial<Record<RefusalCode, number>>> };
  readonly selfTest: StoreTrial;
  /** Requests of the last while that nobody who may had signed; absent = none were refused since the node started. */
  readonly refusedRequests?: {
    readonly total: number;
    readonly recent: {
      readonly since: Instant;
      readonly byReason: Readonly<Record<string, number>>;
      /** The last one, in a sentence. */
      readonly last?: string;
    };
  };
  /** Equal on nodes that have the same ticket keys; says nothing of the keys. */
  readonly ticketKeys?: string;
  /** Addresses of the machine, loopback included. */
  readonly addresses: readonly string[];
  /** Where its listing of the central certificates is another one than the folder's: names that it does not see, and that only it sees. */
  readonly listing?: { readonly without: readonly string[]; readonly with: readonly string[] };
}

/** How a trial of the store went: write, read, compare, delete. */
export type StoreTrial =
  | { readonly kind: "passed"; readonly tookMs: number }
  | { readonly kind: "failed"; readonly step: "write" | "read" | "compare" | "remove"; readonly message: string };

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
  evidence: { input: Record<string, never>; output: EvidenceAnswer };
  /** Does a part again from desired state, the table even with `reconcile: observe`. `host`: its certificate files alone. */
  resync: { input: { part: ResyncPart; host?: string }; output: { part: ResyncPart; drift: readonly string[]; problem?: string } };
  /** Puts a fault into the node. Only a node that was started with --allow-drills does it. */
  "drill.start": { input: DrillOrder; output: DrillState };
  /** Takes it out again; without an id whichever runs. The drills that the node remembers, the newest last. */
  "drill.stop": { input: { id?: string }; output: { drills: readonly DrillState[] } };
  "drill.show": { input: Record<string, never>; output: { drills: readonly DrillState[] } };
}
