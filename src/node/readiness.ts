import type { Instant } from "../base/index.ts";
import type { Applied } from "./reconciler.ts";
import type { SelfProof } from "./self-proof.ts";
import type { Serving } from "./serving.ts";

/** What a node says of its own readiness. */
export interface Readiness {
  readonly ready: boolean;
  /** Empty when ready. */
  readonly reasons: readonly string[];
  readonly draining: boolean;
  readonly revision: number;
  /** The store has not answered since then: the node serves on from its own copies, which is no reason not to be ready. */
  readonly staleSince?: Instant;
}

/**
 * A node is ready when it serves a revision on all its listeners and has proved at least one of its host names: one broken host
 * must not take the others down with it, that is what `/readyz?host=` is for.
 */
export function judgeReadiness(parts: {
  readonly applied: Applied | undefined;
  readonly serving: Serving;
  readonly proof: SelfProof;
  readonly draining: boolean;
  readonly staleSince: Instant | undefined;
}): Readiness {
  const { applied } = parts;
  const { proved, failed, pending } = parts.proof.summary(0);
  const reasons: string[] = [];
  if (parts.draining) reasons.push("draining");
  if (applied === undefined) reasons.push("no configuration is applied");
  if (!parts.serving.listeners.healthy) reasons.push("a listener is not open");
  if (failed + pending > 0 && proved === 0) reasons.push("no host name is proved");
  const stale = parts.staleSince === undefined ? {} : { staleSince: parts.staleSince };
  return { ready: reasons.length === 0, reasons, draining: parts.draining, revision: applied?.revision.number ?? 0, ...stale };
}
