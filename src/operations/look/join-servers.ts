import { formatEndpoint, type Endpoint } from "../../base/index.ts";
import type { ExaminedNode, Gap, NodeEvidence } from "../../doctor/index.ts";
import type { ServerAddresses } from "./server-addresses.ts";

/** What is known of a server from files. */
export interface KnownServer {
  readonly name: string;
  readonly evidence: NodeEvidence;
  /** Where it is dialled when nobody names an address of it. */
  readonly endpoints: readonly Endpoint[];
}

const HTTPS = 443;

/**
 * Brings addresses and evidence together: by the label (`web1=10.0.0.4`), by the name, or by the addresses that the server says it has.
 * Every other address is a server of its own.
 */
export function joinServers(named: readonly ServerAddresses[], known: readonly KnownServer[]): readonly ExaminedNode[] {
  const endpoints = new Map<string, Endpoint[]>();
  for (const server of named) {
    for (const endpoint of server.endpoints) {
      const name = knownAs(server, endpoint, known) ?? (server.isLabelled ? server.name : shortName(endpoint));
      const there = endpoints.get(name) ?? [];
      endpoints.set(name, there);
      if (!there.some((one) => one.address === endpoint.address && one.port === endpoint.port)) there.push(endpoint);
    }
  }
  const evident = known.map(({ name, evidence, endpoints: own }) => ({
    name,
    role: "node" as const,
    endpoints: endpoints.get(name) ?? own,
    evidence,
  }));
  const others = [...endpoints].filter(([name]) => !known.some((server) => server.name === name));
  return [...evident, ...others.map(([name, list]) => ({ name, role: "node" as const, endpoints: list }))];
}

/** `10.0.0.4`, `10.0.0.5:8443`, `::1`. */
const shortName = (endpoint: Endpoint): string => (endpoint.port === HTTPS ? endpoint.address : formatEndpoint(endpoint));

function knownAs({ name }: ServerAddresses, endpoint: Endpoint, known: readonly KnownServer[]): string | undefined {
  const wanted = name.toLowerCase();
  const byName = known.find((server) => {
    const own = server.name.toLowerCase();
    return own === wanted || own === wanted.split(".")[0];
  });
  if (byName !== undefined) return byName.name;
  const byAddress = known.filter(({ evidence }) => evidence.addresses?.includes(endpoint.address) === true);
  // An address that several have (a balancer's, on loopback adapters) names none of them.
  if (byAddress.length === 1) return byAddress[0]?.name;
  return known.find(({ endpoints }) => endpoints.some(({ address, port }) => address === endpoint.address && port === endpoint.port))?.name;
}

/** Servers that were not dialled, as gaps. */
export function undialled(nodes: readonly ExaminedNode[]): readonly Gap[] {
  const left = nodes.filter(({ endpoints }) => endpoints.length === 0);
  if (left.length === 0) return [];
  if (left.length === nodes.length) return [{ what: "probes", why: "no server was dialled: name addresses with --nodes" }];
  return left.map(({ name }) => ({ node: name, what: "probes", why: `it was not dialled: name its address with --nodes ${name}=ADDRESS` }));
}
