import { parseIpAddress, type Instant, type IpAddress } from "../../base/index.ts";
import type { FarmConfig } from "../../config/index.ts";
import type { EvidenceBinding, EvidenceRow, ListenerEvidence, NodeEvidence } from "../../doctor/index.ts";
import type { EvidenceAnswer } from "../../node/index.ts";

/** An answer, and when it was asked for and came, by our clock. */
export interface Answered {
  readonly node: string;
  readonly answer: EvidenceAnswer;
  readonly askedAt: Instant;
  readonly answeredAt: Instant;
  /** The configuration that the node applied; absent = it is not known any longer. */
  readonly config?: FarmConfig;
}

/** What a certfarm node says of itself, as the doctor takes it. The central certificates come from elsewhere (central-sight.ts). */
export function nodeEvidence(answered: Answered): NodeEvidence {
  const { node, answer, config } = answered;
  const { report, recentRefusals, ticketKeys } = answer;
  const source = `node ${node}`;
  return {
    make: "certfarm",
    source,
    at: answered.answeredAt,
    system: {
      source,
      name: node,
      version: `certfarm ${report.version}, Node.js ${report.nodeVersion}`,
      startedAt: report.startedAt,
      draining: report.draining,
      resources: {
        rssBytes: report.resources.rssBytes,
        connections: report.resources.connections,
        cpuSeconds: report.resources.cpuSeconds,
      },
    },
    clock: clockOf(answered, source),
    addresses: addressesOf(answer),
    table: {
      source: `${source}: binding table`,
      rows: rowsOf(answer),
      unread: [],
      drift: answer.drift,
      reconcile: report.table.reconcile,
    },
    ...(config === undefined ? {} : { bindings: { source: `${source}: revision ${report.revision}`, bindings: bindingsEvidence(config) } }),
    configuration: {
      source,
      revision: report.revision,
      digest: report.digest,
      ...(report.revisionProblem === undefined ? {} : { problem: report.revisionProblem }),
    },
    refusals: {
      source: `${source}: refusal journal`,
      total: report.refusals.total,
      byReason: report.refusals.byReason,
      recent: recentRefusals,
    },
    requests: { source, ...requestsOf(answer, answered.answeredAt) },
    content: report.content.map(({ folder, digest, problem }) => ({ folder, digest, ...(problem === undefined ? {} : { problem }) })),
    store: { source, ...(report.staleSince === undefined ? {} : { staleSince: report.staleSince }), selfTest: answer.selfTest },
    listeners: listenersOf(answer),
    proof: report.proof,
    ...(ticketKeys === undefined ? {} : { ticketKeys: { source, fingerprint: ticketKeys } }),
  };
}

function requestsOf({ refusedRequests }: EvidenceAnswer, at: Instant): Omit<NonNullable<NodeEvidence["requests"]>, "source"> {
  return refusedRequests ?? { total: 0, recent: { since: at, byReason: {} } };
}

/** A system may take more addresses than its interfaces show (127.0.0.0/8 is one); those that the node listens on are its own. */
function addressesOf({ addresses, report }: EvidenceAnswer): readonly IpAddress[] {
  const all = [...addresses, ...report.listeners.map(({ address }) => address)].map(parseIpAddress);
  return [...new Set(all.filter((address) => address !== undefined && address !== "0.0.0.0" && address !== "::"))] as readonly IpAddress[]; // filtered
}

/** The node's clock is read between asking and the answer's arrival: half of that time is how far it can be off. */
function clockOf({ answer, askedAt, answeredAt }: Answered, source: string): NonNullable<NodeEvidence["clock"]> {
  return { source, offsetMs: Math.round(answer.now - (askedAt + answeredAt) / 2), uncertaintyMs: Math.ceil((answeredAt - askedAt) / 2) };
}

function rowsOf({ rows, files }: EvidenceAnswer): readonly EvidenceRow[] {
  const thumbprints = new Map(files.map(({ file, thumbprint }) => [file, thumbprint]));
  return rows.map(({ key, file, origin, appId }) => {
    const thumbprint = file === undefined ? undefined : thumbprints.get(file);
    return {
      key,
      ...(file === undefined ? {} : { file }),
      ...(thumbprint === undefined ? {} : { thumbprint }),
      appId,
      options: { origin },
    };
  });
}

function bindingsEvidence(config: FarmConfig): readonly EvidenceBinding[] {
  return config.sites.flatMap((site) =>
    site.bindings.map(({ protocol, address, port, host, sni, certificate }) => ({
      site: site.name,
      protocol,
      address,
      port,
      ...(host === undefined ? {} : { host }),
      sni,
      central: certificate === "central",
    })),
  );
}

function listenersOf({ report }: EvidenceAnswer): readonly ListenerEvidence[] {
  return report.listeners.flatMap(({ address, bindingPort, port, protocol, problem }) => {
    const parsed = parseIpAddress(address);
    if (parsed === undefined) return [];
    const listener = { endpoint: { address: parsed, port }, bindingPort, protocol };
    return [{ ...listener, ...(problem === undefined ? {} : { problem }) }];
  });
}
