import { readFile } from "node:fs/promises";

import type { IpAddress } from "../../base/index.ts";
import { servedPorts, type BalancerConfig, type FarmConfig, type NodeConfig } from "../../config/index.ts";

/** Where a process will listen. */
export interface PlannedEndpoint {
  readonly address: IpAddress;
  readonly port: number;
  readonly ipv6Only: boolean;
}

/** What one process listens on: every bound port on each of its addresses, and its health endpoint, as node and balancer open them. */
export function plannedEndpoints(config: FarmConfig, place: NodeConfig | BalancerConfig): readonly PlannedEndpoint[] {
  const isNode = "reconcile" in place;
  const only6 = isNode || place.addresses.some((address) => !address.includes(":"));
  const served = servedPorts(config).flatMap(({ port }) =>
    place.addresses.map((address) => ({ address, port: place.ports.get(port) ?? port, ipv6Only: address === "::" && only6 })),
  );
  return [...served, { ...place.health, ipv6Only: false }];
}

const USUAL_FIRST = 1_024;

/** Those that only root, or a process with CAP_NET_BIND_SERVICE, may open on this machine. */
export async function privileged(endpoints: readonly PlannedEndpoint[]): Promise<readonly PlannedEndpoint[]> {
  const text = await readFile("/proc/sys/net/ipv4/ip_unprivileged_port_start", "utf8").catch(() => "");
  const first = /^\d+\s*$/.test(text) ? Number(text) : USUAL_FIRST;
  return endpoints.filter(({ port }) => port < first);
}
