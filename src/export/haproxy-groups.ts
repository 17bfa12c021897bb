import { wildcardOf, type HostName, type HostPattern } from "../base/index.ts";
import type { Lane } from "./front.ts";

/** Hosts that are checked, and so taken out of a node, together. */
export interface HostGroup {
  /** Ends the backend's name. */
  readonly name: string;
  /** What the health port is asked, after `/readyz?`. */
  readonly query: string;
  /** What the group stands for, for the comment. */
  readonly about: string;
}

/** How a lane's hosts are divided. */
export interface Grouping {
  /** `own`: each host has a backend of its own. `hashed`: a host's CRC-32 says which one it has. */
  readonly kind: "own" | "hashed";
  readonly groups: readonly HostGroup[];
  /** Wildcards, as `*.example.com`. */
  readonly wildcards: readonly HostPattern[];
  /** Hosts that are bound by their own name below one of these wildcards. */
  readonly ownNames: readonly HostPattern[];
}

/** Stands for `*.` in a backend's name, which may have no star; no host name has a colon. */
export const WILDCARD = "wildcard:";

/** Up to so many hosts of a port are checked one by one. */
const MAX_OWN = 50;
/** Above it, so many groups, whatever the number of hosts. */
const GROUPS = 64;
/** Checks of one port that run at once, over all nodes: a balancer asks each about once a second. */
const MAX_CHECKS = 2_048;

/** Divides a lane's hosts so that the number of checks stays bounded. */
export function groupHosts(lane: Lane, nodes: number): Grouping {
  const wildcards = lane.hosts.filter((host) => host.startsWith("*."));
  const below = new Set<string | undefined>(wildcards);
  // A pattern without a star is a host name.
  const ownNames = lane.hosts.filter((host) => !host.startsWith("*.") && below.has(wildcardOf(host as string as HostName)));
  const room = Math.floor(MAX_CHECKS / Math.max(1, nodes));
  if (lane.hosts.length <= Math.min(MAX_OWN, room))
    return { kind: "own", groups: lane.hosts.map((host) => own(host, lane)), wildcards, ownNames };
  const count = Math.max(1, Math.min(GROUPS, room));
  const groups = Array.from({ length: count }, (_, index) => hashed(index, count, lane));
  return { kind: "hashed", groups, wildcards, ownNames };
}

const own = (host: HostPattern, { bindingPort }: Lane): HostGroup => ({
  name: host.replace("*.", WILDCARD),
  query: `host=${host}&port=${bindingPort}`,
  about: host,
});

const hashed = (index: number, count: number, { bindingPort }: Lane): HostGroup => ({
  name: `g${index}`,
  query: `group=${index}/${count}&port=${bindingPort}`,
  about: `hosts whose CRC-32 leaves ${index} when divided by ${count}`,
});
