import { formatEndpoint } from "../base/index.ts";
import { formatBinding } from "./binding-url.ts";
import { formatDuration, formatSize } from "./duration.ts";
import type { BalancerConfig, FarmConfig, Limits, NodeConfig, SiteConfig, SiteService, TlsPolicy } from "./types.ts";

/** What became of one thing of the configuration, for people. */
export interface ConfigChange {
  /** `site www`, `node web1`, `balancer`, `tls`, `limits`, `farm`. */
  readonly subject: string;
  readonly change: "added" | "removed" | "changed";
  /** One sentence each: `+ https://new.example.com`, `weight: 1 → 3`. */
  readonly details: readonly string[];
}

/** A thing as lines: single values by name, and members of a set. */
interface Described {
  readonly values: ReadonlyMap<string, string>;
  readonly members: ReadonlySet<string>;
}

/** What differs between two configurations, nodes first, then the balancer, then sites, in the order of the farm. */
export function diffConfigs(before: FarmConfig | undefined, after: FarmConfig): readonly ConfigChange[] {
  const left = subjects(before);
  const right = subjects(after);
  const changes: ConfigChange[] = [];
  for (const subject of new Set([...right.keys(), ...left.keys()])) {
    const change = compare(subject, left.get(subject), right.get(subject));
    if (change !== undefined) changes.push(change);
  }
  return changes;
}

function compare(subject: string, before: Described | undefined, after: Described | undefined): ConfigChange | undefined {
  if (after === undefined)
    return { subject, change: "removed", details: before === undefined ? [] : [...before.members].map((each) => `- ${each}`) };
  if (before === undefined) return { subject, change: "added", details: [...after.members].map((each) => `+ ${each}`) };
  const details = [
    ...[...after.members].filter((each) => !before.members.has(each)).map((each) => `+ ${each}`),
    ...[...before.members].filter((each) => !after.members.has(each)).map((each) => `- ${each}`),
  ];
  for (const key of new Set([...after.values.keys(), ...before.values.keys()])) {
    const [old, now] = [before.values.get(key) ?? "none", after.values.get(key) ?? "none"];
    if (old !== now) details.push(`${key}: ${old} → ${now}`);
  }
  return details.length === 0 ? undefined : { subject, change: "changed", details };
}

function subjects(config: FarmConfig | undefined): ReadonlyMap<string, Described> {
  const found = new Map<string, Described>();
  if (config === undefined) return found;
  const add = (subject: string, values: Record<string, string | undefined>, members: readonly string[] = []): void => {
    const present = Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined);
    found.set(subject, { values: new Map(present), members: new Set(members) });
  };
  add("farm", { name: config.farm });
  for (const node of config.nodes) add(`node ${node.name}`, describeNode(node));
  if (config.balancer !== undefined) add("balancer", describeBalancer(config.balancer));
  for (const site of config.sites) add(`site ${site.name}`, describeSite(site), site.bindings.map(formatBinding));
  add("tls", describeTls(config.tls));
  add("limits", describeLimits(config.limits));
  return found;
}

const formatPorts = (ports: ReadonlyMap<number, number>): string =>
  ports.size === 0
    ? "as bound"
    : [...ports]
        .map(([from, to]) => `${from}→${to}`)
        .sort()
        .join(" ");

const describeNode = (node: NodeConfig): Record<string, string> => ({
  addresses: node.addresses.join(" "),
  ports: formatPorts(node.ports),
  health: formatEndpoint(node.health),
  reconcile: node.reconcile,
  weight: String(node.weight),
});

const describeBalancer = (balancer: BalancerConfig): Record<string, string> => ({
  addresses: balancer.addresses.join(" "),
  ports: formatPorts(balancer.ports),
  mode: balancer.mode,
  proxyProtocol: String(balancer.proxyProtocol),
  trustedBy: balancer.trustedBy.join(" ") || "nobody",
  connectTimeout: formatDuration(balancer.connectTimeoutMs),
  idleTimeout: formatDuration(balancer.idleTimeoutMs),
  drainTimeout: formatDuration(balancer.drainTimeoutMs),
  health: formatEndpoint(balancer.health),
});

const describeTls = (tls: TlsPolicy): Record<string, string | undefined> => ({
  versions: `${tls.minVersion} to ${tls.maxVersion}`,
  alpn: tls.alpn.join(" "),
  clientCertificates: tls.clientCertificates,
  clientCa: tls.clientCaFile,
});

function describeSite(site: SiteConfig): Record<string, string | undefined> {
  const tls = site.tls === undefined ? {} : describeTls(site.tls);
  return {
    serves: describeService(site.serve),
    redirectToHttps: String(site.redirectToHttps),
    hsts: site.hsts === undefined ? undefined : describeHsts(site.hsts),
    ...Object.fromEntries(Object.entries(tls).map(([key, value]) => [`tls ${key}`, value])),
  };
}

function describeHsts(hsts: NonNullable<SiteConfig["hsts"]>): string {
  return [
    formatDuration(hsts.maxAgeS * 1_000),
    ...(hsts.includeSubDomains ? ["with subdomains"] : []),
    ...(hsts.preload ? ["preload"] : []),
  ].join(", ");
}

function describeService(serve: SiteService): string {
  switch (serve.kind) {
    case "content":
      return `content ${serve.folder} (index ${serve.index.join(" ") || "none"})`;
    case "proxy": {
      const host = serve.preserveHost ? "the client's Host" : "its own Host";
      return `proxy to ${serve.upstreams.map((url) => url.origin).join(" ")} (timeout ${formatDuration(serve.timeoutMs)}, ${host})`;
    }
    case "redirect":
      return `redirect to ${serve.to} (${serve.status}${serve.keepPath ? ", path kept" : ""})`;
  }
}

const describeLimits = (limits: Limits): Record<string, string> => ({
  handshakeTimeout: formatDuration(limits.handshakeTimeoutMs),
  headersTimeout: formatDuration(limits.headersTimeoutMs),
  requestTimeout: formatDuration(limits.requestTimeoutMs),
  idleTimeout: formatDuration(limits.idleTimeoutMs),
  maxHeaderSize: formatSize(limits.maxHeaderBytes),
  maxBodySize: formatSize(limits.maxBodyBytes),
  maxConnections: String(limits.maxConnections),
  maxLiveNames: String(limits.maxLiveNames),
  nodeHeader: limits.nodeHeader ?? "off",
  accessLog: limits.accessLog,
});
