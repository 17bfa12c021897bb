import { instant, type Clock, type Instant } from "../base/index.ts";
import type { CentralCertificates } from "../certificates/index.ts";
import type { IdentityState } from "../identity/index.ts";
import type { ContentReplica, NodeReport, Revisions, TicketKeys } from "../replica/index.ts";
import type { ReconcilerState } from "./reconciler.ts";
import type { Serving } from "./serving.ts";
import type { SelfProof } from "./self-proof.ts";

/** What a report is gathered from. */
export interface ReportSources {
  readonly node: string;
  readonly version: string;
  readonly clock: Clock;
  readonly startedAt: Instant;
  /** Absent while the node starts. */
  readonly reconciled: ReconcilerState | undefined;
  readonly revisions: Pick<Revisions, "refusal">;
  readonly serving: Serving;
  readonly content: ContentReplica;
  readonly certificates: CentralCertificates;
  readonly tickets: TicketKeys;
  readonly proof: SelfProof;
  readonly draining: boolean;
  /** Absent in a farm without identities. */
  readonly identity?: IdentityState | undefined;
}

/** Hosts listed one by one in a report; the counts hold for all of them. */
const HOSTS_IN_REPORT = 1_500;
const DRIFT_IN_REPORT = 100;

/** Since when the store has not answered, as far as any part of the node noticed. */
export function staleSinceOf({
  certificates,
  content,
  tickets,
}: Pick<ReportSources, "certificates" | "content" | "tickets">): Instant | undefined {
  return earliest([certificates.staleSince, content.staleSince(), tickets.staleSince()]);
}

/** What the node says of itself at this moment. */
export function gatherReport(sources: ReportSources): NodeReport {
  const staleSince = staleSinceOf(sources);
  return {
    node: sources.node,
    at: sources.clock.now(),
    startedAt: sources.startedAt,
    pid: process.pid,
    version: sources.version,
    nodeVersion: process.version,
    ...describeReconciled(sources.reconciled, sources.revisions.refusal()),
    ...(staleSince === undefined ? {} : { staleSince }),
    ...describeIdentity(sources.identity),
    listeners: sources.serving.listeners.state(),
    content: sources.content.reports(),
    proof: sources.proof.summary(HOSTS_IN_REPORT),
    refusals: sources.serving.journal.totals(),
    handshakes: sources.serving.front.counts(),
    certificates: sources.certificates.counts(),
    draining: sources.draining,
    resources: describeResources(sources.serving),
  };
}

function describeIdentity(state: IdentityState | undefined): Pick<NodeReport, "identity"> {
  if (state === undefined) return {};
  const { serial, notAfter, revoked, renewalFailing } = state;
  return { identity: { serial, notAfter, revoked, ...(renewalFailing === undefined ? {} : { renewalFailing }) } };
}

function describeReconciled(
  state: ReconcilerState | undefined,
  refusal: string | undefined,
): Pick<NodeReport, "revision" | "digest" | "revisionProblem" | "table"> {
  const { applied, table, drift = [], problem = refusal } = state ?? {};
  const { number, digest } = applied?.revision ?? { number: 0, digest: "" };
  return {
    revision: number,
    digest,
    ...(problem === undefined ? {} : { revisionProblem: problem }),
    table: { rows: table?.rows.length ?? 0, drift: drift.slice(0, DRIFT_IN_REPORT), reconcile: applied?.node.reconcile ?? "mend" },
  };
}

function describeResources(serving: Serving): NodeReport["resources"] {
  const cpu = process.cpuUsage();
  return {
    rssBytes: process.memoryUsage.rss(),
    connections: serving.connections.open,
    liveNames: serving.liveNames.size,
    cpuSeconds: Math.round((cpu.user + cpu.system) / 1e4) / 100,
  };
}

function earliest(moments: readonly (Instant | undefined)[]): Instant | undefined {
  const known = moments.filter((moment) => moment !== undefined);
  return known.length === 0 ? undefined : instant(Math.min(...known));
}
