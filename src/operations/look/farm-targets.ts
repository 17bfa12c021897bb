import {
  ipFamily,
  parseHostName,
  parseIpAddress,
  type Endpoint,
  type HostName,
  type HostPattern,
  type IpAddress,
} from "../../base/index.ts";
import { createSiteIndex, servedPorts, type FarmConfig, type NodeConfig } from "../../config/index.ts";
import type { ExaminedNode } from "../../doctor/index.ts";

/** Hosts and servers of one binding port. */
export interface PortTargets {
  readonly port: number;
  readonly hosts: readonly HostName[];
  readonly nodes: readonly Omit<ExaminedNode, "evidence">[];
}

/** What of a farm is to be looked at. */
export interface TargetChoice {
  /** Absent = every host of the configuration. */
  readonly hosts?: readonly HostName[];
  /** Names of nodes. */
  readonly nodes: readonly string[];
  /** Names that the central certificates promise: they stand for bindings without a host. */
  readonly promised: readonly HostPattern[];
}

/** The label that stands for any label below a wildcard, the same as in a node's self-proof. */
const SAMPLE_LABEL = "certfarm-proof";

/** What to dial, port by port: each host where it is bound, a host that is bound nowhere on every TLS port. */
export function farmTargets(config: FarmConfig, choice: TargetChoice): readonly PortTargets[] {
  const ports = servedPorts(config).filter(({ protocol }) => protocol === "https");
  const nodes = config.nodes.filter(({ name }) => choice.nodes.includes(name));
  const hosts = hostsByPort(config, choice, ports.map(({ port }) => port)); // prettier-ignore
  return ports.map(({ port }) => ({
    port,
    hosts: [...(hosts.get(port) ?? [])],
    nodes: [
      ...nodes.map((node) => ({ name: node.name, role: "node" as const, endpoints: endpointsOf(node, port) })),
      ...balancersOf(config, port),
    ],
  }));
}

function hostsByPort(
  config: FarmConfig,
  { hosts, promised }: TargetChoice,
  ports: readonly number[],
): ReadonlyMap<number, ReadonlySet<HostName>> {
  const found = new Map<number, Set<HostName>>(ports.map((port) => [port, new Set()]));
  const index = createSiteIndex(config);
  if (hosts !== undefined) {
    for (const host of hosts) {
      const bound = ports.filter((port) => index.find("https", port, host) !== undefined);
      for (const port of bound.length > 0 ? bound : ports) found.get(port)?.add(host);
    }
    return found;
  }
  const add = (pattern: HostPattern, port: number): void => {
    const host = sampleOf(pattern);
    if (host !== undefined) found.get(port)?.add(host);
  };
  for (const { host, port } of index.httpsHosts) add(host, port);
  for (const port of ports.filter((one) => index.find("https", one, undefined) !== undefined)) for (const name of promised) add(name, port);
  return found;
}

const sampleOf = (pattern: HostPattern): HostName | undefined =>
  parseHostName(pattern.startsWith("*.") ? `${SAMPLE_LABEL}${pattern.slice(1)}` : pattern);

/** Where a node is dialled for a binding port: each of its addresses; one that stands for all is its health address, else loopback. */
export function endpointsOf({ addresses, ports, health }: NodeConfig, port: number): readonly Endpoint[] {
  const reached = addresses.map((address) =>
    isWildcard(address) ? (isWildcard(health.address) ? loopback(address) : health.address) : address,
  );
  return [...new Set(reached)].map((address) => ({ address, port: ports.get(port) ?? port }));
}

function balancersOf({ balancer }: FarmConfig, port: number): readonly Omit<ExaminedNode, "evidence">[] {
  const listens = balancer?.ports.get(port);
  if (balancer === undefined || listens === undefined) return [];
  const addresses = balancer.addresses.map((address) => (isWildcard(address) ? loopback(address) : address));
  return [{ name: "balancer", role: "balancer", endpoints: [...new Set(addresses)].map((address) => ({ address, port: listens })) }];
}

const isWildcard = (address: IpAddress): boolean => address === "0.0.0.0" || address === "::";

const loopback = (address: IpAddress): IpAddress => parseIpAddress(ipFamily(address) === 4 ? "127.0.0.1" : "::1") ?? address;
