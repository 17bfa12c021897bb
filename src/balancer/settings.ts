import { ipFamily, type IpAddress } from "../base/index.ts";
import type { BalancerConfig, FarmConfig, NodeConfig } from "../config/index.ts";

/** What the balancer needs of the shared configuration. */
export interface BalancerSettings {
  readonly balancer: BalancerConfig;
  readonly nodes: readonly NodeConfig[];
  /** Protocol by binding port; connections to ports that are not `https` are passed on without a look at them. */
  readonly protocols: ReadonlyMap<number, "http" | "https">;
}

/** Bounds and paces that are no part of farm.yaml. */
export interface BalancerTuning {
  /** Between two polls of a node's health. @default 1000 */
  readonly pollIntervalMs: number;
  /** For one poll or question to a node's health port. @default 1500 */
  readonly pollTimeoutMs: number;
  /** For the first octets to make a whole ClientHello. @default 5000 */
  readonly helloTimeoutMs: number;
  /** How long a connection waits for nodes to say whether they proved a name that is new here. @default 500 */
  readonly nameWaitMs: number;
  /** Names that are known at once. @default 50,000 */
  readonly maxNames: number;
  /** For a node's first octet after the ClientHello; then another node is asked. @default 1500 */
  readonly answerTimeoutMs: number;
  /** How long a node that refused a connection gets none. @default 3000 */
  readonly ejectMs: number;
  /** Nodes that are tried for one connection. @default 3 */
  readonly maxTries: number;
  /** Client connections at once. @default 50,000 */
  readonly maxConnections: number;
}

export const DEFAULT_TUNING: BalancerTuning = {
  pollIntervalMs: 1000,
  pollTimeoutMs: 1500,
  helloTimeoutMs: 5000,
  nameWaitMs: 500,
  maxNames: 50_000,
  answerTimeoutMs: 1500,
  ejectMs: 3000,
  maxTries: 3,
  maxConnections: 50_000,
};

/** The balancer's part of a farm's configuration; undefined when it has no balancer. */
export function balancerSettings(config: FarmConfig): BalancerSettings | undefined {
  if (config.balancer === undefined) return undefined;
  const protocols = new Map<number, "http" | "https">();
  for (const site of config.sites) {
    for (const binding of site.bindings) protocols.set(binding.port, binding.protocol);
  }
  return { balancer: config.balancer, nodes: config.nodes, protocols };
}

const WILDCARDS: readonly string[] = ["0.0.0.0", "::"];

/**
 * Where a node is dialled: its first address that is one, else (it listens on every address) the address of its health
 * endpoint, else loopback.
 */
export function nodeAddress(node: NodeConfig): IpAddress {
  const address = [...node.addresses, node.health.address].find((address) => !WILDCARDS.includes(address));
  if (address !== undefined) return address;
  return (node.addresses.some((any) => ipFamily(any) === 4) ? "127.0.0.1" : "::1") as IpAddress; // canonical
}

/** The port a node really listens on for a binding port. */
export const nodePort = (node: NodeConfig, bindingPort: number): number => node.ports.get(bindingPort) ?? bindingPort;
