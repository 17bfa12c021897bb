import type { FindingDraft, Severity } from "./finding.ts";
import type { View } from "./view.ts";

/**
 * Where a rule stands. A cell that an earlier tier explains is no longer a symptom for the later ones:
 * `node` (something is wrong with the node as a whole), `host` (a file, a certificate, a name),
 * `wire` (what can be told from outside alone).
 */
export type Tier = "node" | "host" | "wire";

/** What a rule came to. "Did not apply" is never "passed". */
export type RuleResult =
  | { readonly status: "not-applicable"; readonly why: string }
  /** `why` names the evidence that is missing and how to get it. */
  | { readonly status: "could-not-look"; readonly why: string }
  | { readonly status: "passed" }
  | { readonly status: "found"; readonly findings: readonly FindingDraft[] };

/** A rule: data, and a pure check. The file is named after the code. */
export interface Rule {
  /** Public API: kebab-case. */
  readonly code: string;
  /** `A node has no central row`. No full stop. */
  readonly title: string;
  readonly severity: Severity;
  readonly tier: Tier;
  /** Vendor page, RFC or report that says so, with its address where there is one. */
  readonly source: string;
  /** For docs/findings: what happens and why, in a few sentences. */
  readonly explains: string;
  /** For docs/findings: what to do, with the commands for certfarm, IIS and others where they differ. */
  readonly remedy: string;
  /** Codes whose findings this rule's are a sign of: of a node that one of them names, this rule tells nothing. */
  readonly yieldsTo?: readonly string[];
  check(view: View): RuleResult;
}
