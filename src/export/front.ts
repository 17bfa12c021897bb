import { FarmError, ipFamily, type Endpoint, type HostPattern, type IpAddress } from "../base/index.ts";
import { servedPorts, type BalancerConfig, type FarmConfig, type NodeConfig } from "../config/index.ts";

/** A node as a balancer of another make sees it. */
export interface FrontNode {
  readonly name: string;
  /** Addresses that can be dialled, in the node's order; at least one. */
  readonly addresses: readonly IpAddress[];
  readonly health: Endpoint;
  readonly weight: number;
}

/** One port of the farm: where clients come in, and where each node takes them. */
export interface Lane {
  readonly bindingPort: number;
  readonly protocol: "http" | "https";
  /** Port that clients dial. */
  readonly port: number;
  /** Hosts and wildcards that https bindings name; empty for plain HTTP. */
  readonly hosts: readonly HostPattern[];
  /** The port that a node really listens on. */
  readonly nodePort: (node: FrontNode) => number;
}

/** What every export is written from: the farm's ports and nodes, and how its own balancer would treat them. */
export interface Front {
  readonly farm: string;
  readonly nodes: readonly FrontNode[];
  readonly lanes: readonly Lane[];
  readonly settings: Pick<
    BalancerConfig,
    "addresses" | "mode" | "proxyProtocol" | "trustedBy" | "connectTimeoutMs" | "idleTimeoutMs" | "drainTimeoutMs"
  >;
  /** farm.yaml has no `balancer:`: nodes take PROXY headers from nobody. */
  readonly hasNoBalancer: boolean;
}

const EVERY: readonly string[] = ["0.0.0.0", "::"];

/** `0.0.0.0` and `::` can be listened on, not dialled. */
export const isEvery = (address: string): boolean => EVERY.includes(address);

const WITHOUT_BALANCER: Front["settings"] = {
  addresses: EVERY as readonly IpAddress[], // canonical
  mode: "five-tuple",
  proxyProtocol: false,
  trustedBy: [],
  connectTimeoutMs: 2_000,
  idleTimeoutMs: 300_000,
  drainTimeoutMs: 30_000,
};

/** The farm as a balancer needs it. @throws EXPORT_NOT_POSSIBLE when a node has no address that can be dialled, or no site has a binding */
export function frontOf(config: FarmConfig): Front {
  const real = new Map(config.nodes.map((node) => [node.name, node.ports]));
  const hosts = hostsByPort(config);
  const lanes = servedPorts(config).map(({ port, protocol }): Lane => {
    const nodePort = ({ name }: FrontNode): number => real.get(name)?.get(port) ?? port;
    const named = protocol === "https" ? [...(hosts.get(port) ?? [])] : [];
    return { bindingPort: port, protocol, port: config.balancer?.ports.get(port) ?? port, hosts: named, nodePort };
  });
  if (lanes.length === 0) throw new FarmError("EXPORT_NOT_POSSIBLE", `no site of farm ${config.farm} has a binding`);
  return {
    farm: config.farm,
    nodes: config.nodes.map(nodeOf),
    lanes,
    settings: config.balancer ?? WITHOUT_BALANCER,
    hasNoBalancer: config.balancer === undefined,
  };
}

function hostsByPort(config: FarmConfig): ReadonlyMap<number, ReadonlySet<HostPattern>> {
  const ports = new Map<number, Set<HostPattern>>();
  for (const { protocol, port, host } of config.sites.flatMap((site) => site.bindings)) {
    if (protocol !== "https" || host === undefined) continue;
    const known = ports.get(port) ?? new Set();
    ports.set(port, known.add(host));
  }
  return ports;
}

function nodeOf({ name, addresses, health, weight }: NodeConfig): FrontNode {
  const own = addresses.filter((address) => !isEvery(address));
  const dialled = own.length > 0 ? own : [health.address].filter((address) => !isEvery(address));
  const [first] = dialled;
  if (first === undefined) {
    throw new FarmError(
      "EXPORT_NOT_POSSIBLE",
      `node ${name} listens on every address: give it an \`address\` in farm.yaml to be dialled at`,
      {
        facts: { node: name },
      },
    );
  }
  return { name, addresses: dialled, health: isEvery(health.address) ? { ...health, address: first } : health, weight };
}

/** The address to dial a node at for a client side of this family: one of the same family when there is one. */
export function addressFor(node: FrontNode, family: 4 | 6): IpAddress {
  const found = node.addresses.find((address) => ipFamily(address) === family) ?? node.addresses[0];
  if (found === undefined) throw new FarmError("INTERNAL", `node ${node.name} has no address`);
  return found;
}

/** The one value that all nodes share. @throws EXPORT_NOT_POSSIBLE that names two nodes which differ */
export function shared(front: Front, what: string, of: (node: FrontNode) => number): number {
  const [first, ...others] = front.nodes;
  if (first === undefined) throw new FarmError("EXPORT_NOT_POSSIBLE", `farm ${front.farm} has no node`);
  const other = others.find((node) => of(node) !== of(first));
  if (other === undefined) return of(first);
  throw new FarmError(
    "EXPORT_NOT_POSSIBLE",
    `this balancer needs one ${what} for all nodes: it is ${of(first)} on ${first.name} and ${of(other)} on ${other.name}`,
    { facts: { nodes: [first.name, other.name] } },
  );
}

/** What whoever installs it must know of PROXY headers; undefined = nothing. */
export function proxyNote({ settings, hasNoBalancer }: Front): string {
  if (hasNoBalancer)
    return "farm.yaml has no `balancer:`, so no PROXY header is sent and nodes see this balancer as the client. Add it, with `trustedBy`, and export again.";
  if (!settings.proxyProtocol)
    return "farm.yaml says `proxyProtocol: false`, so no PROXY header is sent and nodes see this balancer as the client.";
  return `Nodes take PROXY headers from ${settings.trustedBy.join(", ")} only (\`balancer.trustedBy\` in farm.yaml): the addresses that this balancer dials from must be among them.`;
}
