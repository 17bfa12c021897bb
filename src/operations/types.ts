import type { Instant } from "../base/index.ts";
import type { ConfigChange, ConfigProblem, ImpactPlan } from "../config/index.ts";
import type { ErrorCode } from "../base/index.ts";

/** Why something of one node cannot be told, when the others can. */
export interface Problem {
  readonly code: ErrorCode;
  readonly message: string;
  readonly remedy: string;
}

/** A host that no node would serve, and why. */
export interface MissingCertificate {
  readonly host: string;
  readonly port: number;
  readonly reason: string;
}

/** A farm.yaml that was looked at: its problems, and the same as text with the source lines. */
export type Validation =
  | { readonly kind: "invalid"; readonly problems: readonly ConfigProblem[]; readonly text: string }
  | { readonly kind: "valid"; readonly warnings: readonly ConfigProblem[]; readonly text: string };

/** What applying a farm.yaml would do. */
export type ConfigPlan =
  | Extract<Validation, { kind: "invalid" }>
  | {
      readonly kind: "valid";
      /** The revision it was compared with; 0 = none. */
      readonly base: number;
      readonly latest: number;
      readonly warnings: readonly ConfigProblem[];
      readonly warningText: string;
      /** Unified diff of the texts; empty = the same text. */
      readonly diff: string;
      readonly changes: readonly ConfigChange[];
      readonly impact: ImpactPlan;
      readonly missing: readonly MissingCertificate[];
    };

/** A revision without its text. */
export interface RevisionSummary {
  readonly number: number;
  readonly digest: string;
  readonly at: Instant;
  readonly by: string;
  readonly note?: string;
  /** The admin who signed it, in a farm with identities. */
  readonly signer?: string;
  /** Why no node of such a farm applies it. */
  readonly refused?: string;
}

/** A revision as it is now in force, and what led to it. */
export interface Applied {
  readonly revision: RevisionSummary;
  /** False: the latest revision has this text already. */
  readonly changed: boolean;
  readonly farmFile: "in-step" | "edited" | "later";
  readonly broken: readonly string[];
  readonly counts: ImpactPlan["counts"];
  /** Bound hosts that get no certificate: saved all the same, their files may come later. */
  readonly missing: readonly MissingCertificate[];
  readonly warningText: string;
}
