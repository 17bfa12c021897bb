import { formatEndpoint, ipFamily, type HostPattern } from "../base/index.ts";
import type { BalanceMode } from "../config/index.ts";
import { addressFor, isEvery, proxyNote, type Front, type FrontNode, type Lane } from "./front.ts";
import { groupHosts, WILDCARD, type Grouping } from "./haproxy-groups.ts";

/** HAProxy hashes the client's address without its port: in turn is what spreads connections as evenly as a hash of both. */
const BALANCE: Readonly<Record<BalanceMode, string>> = {
  "five-tuple": "balance roundrobin",
  source: "balance source\n  hash-type consistent",
  "round-robin": "balance roundrobin",
  "least-connections": "balance leastconn",
};

/** HAProxy's weights end at 256, farm.yaml's at 1000. */
const MAX_WEIGHT = 256;
/** An ACL line takes this many patterns; more go on the next line, HAProxy joins lines of one name. */
const PATTERNS_A_LINE = 16;

/**
 * haproxy.cfg for HAProxy 2.4 and later: one frontend a port in TCP mode. https connections go by SNI to a backend whose servers are checked
 * for that host (or its group of hosts), and when no node is left there, to the nodes that are ready at all.
 */
export function exportHaproxy(front: Front): string {
  return [head(front), ...front.lanes.map((lane) => laneText(front, lane))].join("\n");
}

function head(front: Front): string {
  const { connectTimeoutMs, idleTimeoutMs } = front.settings;
  return `# HAProxy in front of the farm ${front.farm}: made by \`certfarm export haproxy\` out of farm.yaml. Make it anew when nodes, ports or hosts change.
#
# Fill in or check:
#  - put your own \`global\` section before it (log, user, group, chroot, maxconn); nothing here depends on it
#  - every node's health port must be reachable from here, and from balancers only
#  - ${proxyNote(front)}
# A node that is drained, or shuts down, answers not ready: it gets no new connections, and those it has go on.

defaults certfarm
  mode tcp
  timeout connect ${connectTimeoutMs}ms
  timeout client ${idleTimeoutMs}ms
  timeout server ${idleTimeoutMs}ms
  timeout check 2s
  # A node that does not take a connection is passed over for this one at once; checks tell the rest.
  retries 2
  option redispatch 1
  option splice-auto
  default-server check inter 1s fastinter 250ms fall 2 rise 1
`;
}

function laneText(front: Front, lane: Lane): string {
  const name = `${lane.protocol}-${lane.bindingPort}`;
  const binds = front.settings.addresses.map((address) => {
    const only6 = address === "::" ? " v6only" : "";
    return `  bind ${formatEndpoint({ address, port: lane.port })}${only6}`;
  });
  const grouping = groupHosts(lane, front.nodes.length);
  const frontend = [
    "",
    `frontend ${name}`,
    ...binds,
    ...(grouping.groups.length > 0 ? routing(name, grouping) : []),
    `  default_backend ${name}`,
  ];
  const backends = [
    { name, query: "", about: "nodes that are ready: hosts that farm.yaml does not name, and those that no node proves" },
    ...grouping.groups.map((group) => ({ ...group, name: `${name}-${group.name}` })),
  ];
  return [...frontend, "", ...backends.map((backend) => backendText(front, lane, backend))].join("\n");
}

/** Which backend a ClientHello goes to. A backend without a usable server is not chosen: the default one is better than a closed connection. */
function routing(name: string, grouping: Grouping): readonly string[] {
  const { wildcards, ownNames } = grouping;
  const key = [
    "  tcp-request inspect-delay 5s",
    ...acl("under_wildcard", "req.ssl_sni,lower,regsub(^[^.]*,*)", wildcards),
    ...acl("own_name", "req.ssl_sni,lower", ownNames),
    "  tcp-request content set-var(txn.host) req.ssl_sni,lower",
  ];
  const but = ownNames.length > 0 ? " !own_name" : "";
  if (wildcards.length > 0) key.push(`  tcp-request content set-var(txn.host) req.ssl_sni,lower,regsub(^[^.]*,*) if under_wildcard${but}`);
  const choice = grouping.kind === "hashed" ? byHash(name, grouping.groups.length) : byName(name);
  return [
    ...key,
    ...choice,
    "  tcp-request content accept if { req.ssl_hello_type 1 }",
    `  use_backend %[var(txn.backend)] if { var(txn.backend),nbsrv gt 0 }`,
  ];
}

const byHash = (name: string, count: number): readonly string[] => [
  `  tcp-request content set-var(txn.group) var(txn.host),crc32,mod(${count})`,
  `  tcp-request content set-var(txn.backend) str(${name}-g),concat(,txn.group)`,
];

const byName = (name: string): readonly string[] => [
  `  tcp-request content set-var(txn.name) var(txn.host),regsub(^[*].,${WILDCARD})`,
  `  tcp-request content set-var(txn.backend) str(${name}-),concat(,txn.name)`,
];

function acl(name: string, sample: string, patterns: readonly HostPattern[]): readonly string[] {
  const lines = Array.from({ length: Math.ceil(patterns.length / PATTERNS_A_LINE) }, (_, index) =>
    patterns.slice(index * PATTERNS_A_LINE, (index + 1) * PATTERNS_A_LINE).join(" "),
  );
  return lines.map((line) => `  acl ${name} ${sample} -m str ${line}`);
}

function backendText(front: Front, lane: Lane, backend: { readonly name: string; readonly query: string; readonly about: string }): string {
  const uri = backend.query === "" ? "/readyz" : `/readyz?${backend.query}`;
  const heaviest = Math.max(1, ...front.nodes.map(({ weight }) => weight));
  return `# ${backend.about}
backend ${backend.name}
  ${BALANCE[front.settings.mode]}
  option httpchk
  http-check send meth GET uri ${uri}
  http-check expect status 200
${front.nodes.map((node) => serverLine(front, lane, { node, heaviest })).join("\n")}
`;
}

function serverLine({ settings }: Front, lane: Lane, { node, heaviest }: { readonly node: FrontNode; readonly heaviest: number }): string {
  const family = settings.addresses.some((address) => ipFamily(address) === 4 || isEvery(address)) ? 4 : 6;
  const where = formatEndpoint({ address: addressFor(node, family), port: lane.nodePort(node) });
  const { address, port } = node.health;
  const check = `addr ${ipFamily(address) === 6 ? `[${address}]` : address} port ${port}`;
  const weight = heaviest > MAX_WEIGHT ? Math.ceil((node.weight * MAX_WEIGHT) / heaviest) : node.weight;
  return `  server ${node.name} ${where} ${check} weight ${weight}${settings.proxyProtocol ? " send-proxy-v2" : ""}`;
}
