import { formatEndpoint, FarmError, ipFamily, parseIpAddress, type IpAddress } from "../base/index.ts";
import type { BalanceMode } from "../config/index.ts";
import { addressFor, isEvery, type Front, type FrontNode, type Lane } from "./front.ts";

/** Schedulers of the kernel: `mh` is consistent hashing, over the client's address and, with `mh-port`, its port. */
const SCHEDULERS: Readonly<Record<BalanceMode, string>> = {
  "five-tuple": "lvs_sched mh\n  mh-port",
  source: "lvs_sched mh",
  "round-robin": "lvs_sched wrr",
  "least-connections": "lvs_sched wlc",
};

/** Addresses for documentation (RFC 5737, RFC 3849): they say where the real ones go. */
const EXAMPLES = { 4: "192.0.2.10", 6: "2001:db8::10" } as const;

/**
 * keepalived.conf: a virtual address that two machines share by VRRP, and the kernel's LVS behind it. It looks into no connection, so a node
 * is in or out for all hosts together.
 */
export function exportKeepalived(front: Front): string {
  const addresses = virtualAddresses(front);
  const direct = front.lanes.every((lane) => front.nodes.every((node) => lane.nodePort(node) === lane.port));
  return `${head(front, addresses.made, direct)}
global_defs {
  router_id certfarm
}

vrrp_instance certfarm {
  state BACKUP
  interface eth0
  virtual_router_id 51
  priority 100
  advert_int 1
  nopreempt
  virtual_ipaddress {
${addresses.all
  .filter((address) => ipFamily(address) === ipFamily(addresses.first))
  .map((address) => `    ${address}`)
  .join("\n")}
  }${excluded(addresses)}
}

${addresses.all.flatMap((address) => front.lanes.map((lane) => virtualServer(front, lane, { address, direct }))).join("\n")}`;
}

interface Addresses {
  readonly all: readonly IpAddress[];
  readonly first: IpAddress;
  /** They are examples: farm.yaml names none. */
  readonly made: boolean;
}

function virtualAddresses(front: Front): Addresses {
  const own = front.settings.addresses.filter((address) => !isEvery(address));
  const families = ([4, 6] as const).filter((family) =>
    front.nodes.every(({ addresses }) => addresses.some((one) => ipFamily(one) === family)),
  );
  const examples = families.map((family) => parseIpAddress(EXAMPLES[family])).filter((address) => address !== undefined);
  const all = own.length > 0 ? own : examples;
  const [first] = all;
  if (first === undefined)
    throw new FarmError(
      "EXPORT_NOT_POSSIBLE",
      "LVS needs all nodes to have addresses of one family: give every node an IPv4 or every node an IPv6 address",
    );
  return { all, first, made: own.length === 0 };
}

/** An instance speaks VRRP in one family; addresses of the other go along. */
function excluded({ all, first }: Addresses): string {
  const others = all.filter((address) => ipFamily(address) !== ipFamily(first));
  if (others.length === 0) return "";
  return `\n  virtual_ipaddress_excluded {\n${others.map((address) => `    ${address}`).join("\n")}\n  }`;
}

function head(front: Front, made: boolean, direct: boolean): string {
  const kind = direct
    ? "every node needs the virtual address on its loopback device and must not answer ARP for it (net.ipv4.conf.all.arp_ignore=1, arp_announce=2), and `addresses` of the nodes in farm.yaml must include it, or be 0.0.0.0 and ::"
    : "nodes listen on other ports than clients dial, so connections are translated (NAT): this machine must be the nodes' default gateway";
  return `# keepalived in front of the farm ${front.farm}: made by \`certfarm export keepalived\` out of farm.yaml. Make it anew when nodes or ports change.
#
# Fill in or check:
#  - interface eth0, virtual_router_id 51: as your network has them; priority: another one on each balancer, e.g. 100 and 90
${made ? "#  - the virtual addresses are examples: put yours in their place everywhere (or into `balancer.addresses` in farm.yaml, and export again)\n" : ""}#  - ${kind}
#  - every node's health port must be reachable from here, and from balancers only
#  - LVS sends no PROXY header: nodes see the client's own address
#  - a node is out for all hosts together. /readyz says 200 while a node proves at least one host; with the path /readyz?group=0/1 in its place a node
#    is out as soon as it fails for any of its hosts
# A node that is drained, or shuts down, answers not ready: its weight becomes 0, so it gets no new connections, and those it has go on.
`;
}

function virtualServer(front: Front, lane: Lane, { address, direct }: { readonly address: IpAddress; readonly direct: boolean }): string {
  return `virtual_server ${address} ${lane.port} {
  delay_loop 1
  ${SCHEDULERS[front.settings.mode]}
  lvs_method ${direct ? "DR" : "NAT"}
  protocol TCP
${front.nodes.map((node) => realServer(lane, node, ipFamily(address))).join("\n")}
}
`;
}

function realServer(lane: Lane, node: FrontNode, family: 4 | 6): string {
  const address = addressFor(node, family);
  if (ipFamily(address) !== family)
    throw new FarmError(
      "EXPORT_NOT_POSSIBLE",
      `node ${node.name} has no IPv${family} address, and LVS does not translate between families`,
      {
        facts: { node: node.name },
      },
    );
  return `  real_server ${address} ${lane.nodePort(node)} { # ${node.name}
    weight ${node.weight}
    inhibit_on_failure
    HTTP_GET { # http://${formatEndpoint(node.health)}/readyz
      connect_ip ${node.health.address}
      connect_port ${node.health.port}
      connect_timeout 2
      retry 1
      delay_before_retry 1
      url {
        path /readyz
        status_code 200
      }
    }
  }`;
}
