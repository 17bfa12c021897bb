import { type Clock, type Instant } from "../base/index.ts";
import type { CentralCertificates } from "../certificates/index.ts";
import type { ContentReplica, NodeReport } from "../replica/index.ts";
import type { ConnectionRegister } from "./connections.ts";
import type { Listeners } from "./listeners.ts";
import type { LiveNames } from "./live-names.ts";
import type { Reconciler } from "./reconciler.ts";
import type { RefusalJournal } from "./refusal-journal.ts";
import type { SelfProof } from "./self-proof.ts";
import type { TlsFront } from "./tls-front.ts";

/** What a report is gathered from. */
export interface ReportSources {
  readonly node: string;
  readonly version: string;
  readonly clock: Clock;
  readonly startedAt: Instant;
  readonly reconciler: Reconciler;
  readonly listeners: Listeners;
  readonly content: ContentReplica;
  readonly certificates: CentralCertificates;
  readonly proof: SelfProof;
  readonly journal: RefusalJournal;
  readonly front: TlsFront;
  readonly connections: ConnectionRegister;
  readonly liveNames: LiveNames;
  readonly draining: () => boolean;
}

/** Hosts listed one by one in a report; the counts hold for all of them. */
const HOSTS_IN_REPORT = 1_500;

/** What the node says of itself at this moment. */
export function gatherReport(sources: ReportSources): NodeReport {
  const { applied, table, drift, problem } = sources.reconciler.state;
  const staleSince = earliest(sources.certificates.staleSince, sources.content.staleSince());
  const cpu = process.cpuUsage();
  return {
    node: sources.node,
    at: sources.clock.now(),
    startedAt: sources.startedAt,
    pid: process.pid,
    version: sources.version,
    nodeVersion: process.version,
    revision: applied?.revision.number ?? 0,
    digest: applied?.revision.digest ?? "",
    ...(problem === undefined ? {} : { revisionProblem: problem }),
    ...(staleSince === undefined ? {} : { staleSince }),
    listeners: sources.listeners.state(),
    table: { rows: table.rows.length, drift: drift.slice(0, 100), reconcile: applied?.node.reconcile ?? "mend" },
    content: sources.content.reports(),
    proof: sources.proof.summary(HOSTS_IN_REPORT),
    refusals: sources.journal.totals(),
    handshakes: sources.front.counts(),
    certificates: sources.certificates.counts(),
    draining: sources.draining(),
    resources: {
      rssBytes: process.memoryUsage.rss(),
      connections: sources.connections.open,
      liveNames: sources.liveNames.size,
      cpuSeconds: Math.round((cpu.user + cpu.system) / 1e4) / 100,
    },
  };
}

function earliest(a: Instant | undefined, b: Instant | undefined): Instant | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a < b ? a : b;
}
