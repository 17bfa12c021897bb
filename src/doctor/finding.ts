import type { Endpoint, HostName, Instant } from "../base/index.ts";
import type { EvidenceRow, EvidenceRowKey, Source } from "./evidence.ts";

/** error: clients are or will be turned away or misled. warning: it will become one. notice: worth knowing. */
export type Severity = "error" | "warning" | "notice";

/** One fact that leads to a finding, and where it was seen. */
export interface Proof {
  readonly text: string;
  readonly source: Source;
}

/** A typed step that cures. What is not typed is said in words. */
export type RepairAction =
  | { readonly do: "add-central-row"; readonly node: string; readonly port: number }
  /** `row` is what is there now: it is kept to undo the step. */
  | { readonly do: "delete-row"; readonly node: string; readonly key: EvidenceRowKey; readonly row: EvidenceRow }
  /** The node does a part again from desired state: its table, certificates, configuration, ticket keys, listeners. */
  | { readonly do: "resync"; readonly node: string; readonly part: ResyncPart; readonly host?: HostName }
  /** IIS: turn the central store on with this location, on this node. Passwords are asked for by the script. */
  | { readonly do: "set-central-store"; readonly node: string; readonly location: string; readonly user?: string }
  /** Only a person can do it. */
  | { readonly do: "manual"; readonly node?: string; readonly text: string };

/** What a certfarm node can be told to do again. */
export type ResyncPart = "table" | "certificates" | "configuration" | "ticket-keys" | "listeners";

/** A host on a node. */
export interface CellRef {
  readonly node: string;
  readonly host: HostName;
  /** Absent = on every endpoint of the node. */
  readonly endpoint?: Endpoint;
}

/** What a rule found, in the words of a colleague. Text of peers in it is escaped where it is printed. */
export interface FindingDraft {
  /** What is wrong, in one sentence that names node and port: `web3 has no central row on port 443`. */
  readonly summary: string;
  /** Nodes concerned; empty = the farm or the hosts as such. */
  readonly nodes: readonly string[];
  /** Nodes that the nodes concerned were held against, where that is not all others. */
  readonly against?: readonly string[];
  /** Hosts concerned; empty = every host of these nodes. */
  readonly hosts: readonly HostName[];
  /** What tells it from other findings of its rule on these nodes and hosts: a row, a port, a folder. Part of its id. */
  readonly about?: string;
  /** Two or three facts. */
  readonly proof: readonly [Proof, ...Proof[]];
  /** What to do, in the imperative. */
  readonly remedy: string;
  /** What doing so will change. */
  readonly effect: string;
  /** In order. Empty = nothing needs to be done. */
  readonly actions: readonly RepairAction[];
  /** Symptoms that this is the cause of. */
  readonly explains: readonly CellRef[];
  /** `likely`: another cause remains possible; then `others` and `decides` say which, and what observation would decide. */
  readonly certainty: "certain" | "likely";
  readonly others?: readonly string[];
  readonly decides?: string;
  /** When it differs from the rule's, e.g. a notice within the polling interval. */
  readonly severity?: Severity;
}

/** A named cause with its proof. */
export interface Finding extends FindingDraft {
  /** `F-` and 8 hexadecimal digits over code, nodes, hosts and `about`: the same finding has the same id in the next run. */
  readonly id: string;
  readonly code: string;
  readonly title: string;
  readonly severity: Severity;
  /** Some of the nodes that are meant to serve these hosts are not concerned: such findings rank first. */
  readonly differs: boolean;
}

/** What became of one rule. */
export interface RuleOutcome {
  readonly code: string;
  readonly status: "found" | "passed" | "not-applicable" | "could-not-look" | "failed";
  /** Why not applicable, what would be needed, or how the rule itself failed. */
  readonly why?: string;
}

/** A cell that is not as it should be. */
export interface Symptom extends CellRef {
  readonly endpoint: Endpoint;
  readonly kind: SymptomKind;
  /** One line: `reset after the ClientHello`, `serves CN=shop.example.com instead`. */
  readonly text: string;
}

/** Kinds of symptoms, worst first. */
export type SymptomKind = "no-connection" | "no-handshake" | "wrong-name" | "validity" | "untrusted" | "differs" | "request-failed";

/** The answer of the doctor. */
export interface Diagnosis {
  readonly at: Instant;
  /** Worst and most particular first. */
  readonly findings: readonly Finding[];
  readonly symptoms: readonly Symptom[];
  readonly rules: readonly RuleOutcome[];
}
