import { patternCovers, type HostName, type HostPattern } from "../base/index.ts";
import { createSiteIndex } from "./site-index.ts";
import type { FarmConfig, SiteIndex } from "./types.ts";

/** What a node answers a ClientHello with. Thumbprints in any order, one a kind of key. */
export type Served =
  | { readonly kind: "serve"; readonly thumbprints: readonly string[]; readonly files: readonly string[] }
  | { readonly kind: "refuse"; readonly reason: string };

/**
 * What a change does to one host on one node.
 * `broken`: served before, and afterwards refused or of no site; `removed`: gone, and it was not served before either, or gone from a
 * node that leaves while others serve it; `unserved`: bound afterwards and refused before and after.
 */
export type ImpactChange = "same" | "changed" | "gained" | "broken" | "removed" | "unserved";

/** A host and port whose connections matter. A pattern stands for the names it covers. */
export interface ImpactHost {
  readonly host: HostPattern;
  readonly port: number;
}

/** One line of a plan: a host, and the nodes on which the change does the same to it. */
export interface ImpactRow extends ImpactHost {
  readonly nodes: readonly string[];
  readonly before: Served;
  readonly after: Served;
  readonly change: ImpactChange;
}

/** What a new configuration would do. */
export interface ImpactPlan {
  /** The worst first, then by host and port; at most `maxRows`. */
  readonly rows: readonly ImpactRow[];
  /** Rows there are, with those that are left out. */
  readonly totalRows: number;
  /** Host × node pairs of each kind, none left out. */
  readonly counts: Readonly<Record<ImpactChange, number>>;
  /** Every host that breaks on some node, none left out. */
  readonly broken: readonly HostPattern[];
}

/** Everything a plan depends on. */
export interface ImpactInput {
  /** undefined = nothing is configured yet. */
  readonly before: FarmConfig | undefined;
  readonly after: FarmConfig;
  /** Hosts that are asked for besides the ones that bindings name: of central files below an `https://*` binding, of proofs. */
  readonly askedFor?: readonly ImpactHost[];
  /** Default 2,000. */
  readonly maxRows?: number;
  /** The certificates of a host: asked for nodes of that side's configuration and for ports it serves https on. */
  readonly serves: (side: "before" | "after", node: string, host: HostPattern, port: number) => Served;
}

const WORST_FIRST: readonly ImpactChange[] = ["broken", "removed", "unserved", "changed", "gained", "same"];
const DEFAULT_MAX_ROWS = 2_000;

/** Compares what every node serves for every https host before and after. Calls `serves` at most twice a host and node. */
export function planImpact(input: ImpactInput): ImpactPlan {
  const sides = { before: sideOf(input, "before"), after: sideOf(input, "after") };
  const counts: Record<ImpactChange, number> = { same: 0, changed: 0, gained: 0, broken: 0, removed: 0, unserved: 0 };
  const broken = new Set<HostPattern>();
  const rows: ImpactRow[] = [];
  for (const host of hostsOf(input, sides)) {
    for (const row of hostRows(host, sides)) {
      counts[row.change] += row.nodes.length;
      if (row.change === "broken") broken.add(row.host);
      rows.push(row);
    }
  }
  rows.sort(compareRows);
  const maxRows = input.maxRows ?? DEFAULT_MAX_ROWS;
  return { rows: rows.slice(0, maxRows), totalRows: rows.length, counts, broken: [...broken].sort() };
}

/**
 * The hosts that forbid applying a plan: broken ones that nobody allowed to break. An allowed name covers itself only, an allowed
 * pattern also the names it covers.
 */
export function verdict(plan: ImpactPlan, allowBroken: readonly (HostName | HostPattern)[]): readonly HostPattern[] {
  const allowed = new Set<string>(allowBroken);
  const patterns = allowBroken.filter((each) => each.startsWith("*.")) as readonly HostPattern[]; // by the test before
  return plan.broken.filter((host) => !allowed.has(host) && !patterns.some((pattern) => covers(pattern, host)));
}

// A broken host that is a pattern is equal to the allowed one or not covered; one that is a name may be.
const covers = (pattern: HostPattern, host: HostPattern): boolean =>
  !host.startsWith("*.") && patternCovers(pattern, host as string as HostName);

/** One side of the comparison. */
interface Side {
  readonly nodes: ReadonlySet<string>;
  /** Whether a site takes the host. */
  bound(host: ImpactHost): boolean;
  /** undefined = the node is not of this side, or no site takes the host. */
  serves(node: string, host: ImpactHost): Served;
  readonly index: SiteIndex | undefined;
}

function sideOf(input: ImpactInput, side: "before" | "after"): Side {
  const config = input[side];
  const index = config === undefined ? undefined : createSiteIndex(config);
  const nodes = new Set(config?.nodes.map((node) => node.name));
  const bound = ({ host, port }: ImpactHost): boolean => index !== undefined && isBound(index, host, port);
  const serves = (node: string, host: ImpactHost): Served => {
    if (config === undefined) return { kind: "refuse", reason: "nothing was configured" };
    if (!nodes.has(node)) return { kind: "refuse", reason: "not a node of the farm" };
    return bound(host) ? input.serves(side, node, host.host, host.port) : { kind: "refuse", reason: "no site takes this host" };
  };
  return { nodes, bound, serves, index };
}

/** A pattern is looked up as a name of its own: exact in the table, else by the binding for any host. */
const isBound = (index: SiteIndex, host: HostPattern, port: number): boolean =>
  index.find("https", port, host as string as HostName) !== undefined; // a look-up by text only

function hostsOf(input: ImpactInput, sides: { readonly before: Side; readonly after: Side }): readonly ImpactHost[] {
  const hosts = new Map<string, ImpactHost>();
  const all = [...(sides.after.index?.httpsHosts ?? []), ...(sides.before.index?.httpsHosts ?? []), ...(input.askedFor ?? [])];
  for (const { host, port } of all) hosts.set(`${host}:${port}`, { host, port });
  return [...hosts.values()];
}

/** The rows of one host; nodes with the same outcome share one. */
function hostRows(host: ImpactHost, sides: { readonly before: Side; readonly after: Side }): readonly ImpactRow[] {
  const groups = new Map<string, ImpactRow & { readonly nodes: string[] }>();
  const outcomes = [...new Set([...sides.after.nodes, ...sides.before.nodes])].map((node) => ({
    node,
    stays: sides.after.nodes.has(node),
    before: sides.before.serves(node, host),
    after: sides.after.serves(node, host),
  }));
  const servedSomewhere = outcomes.some(({ after }) => after.kind === "serve");
  for (const { node, stays, before, after } of outcomes) {
    const left = !stays && servedSomewhere;
    const change = left ? "removed" : changeOf(before, after, sides.after.bound(host));
    const key = JSON.stringify([change, before, after]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { ...host, nodes: [node], before, after, change });
    else group.nodes.push(node);
  }
  return [...groups.values()];
}

function changeOf(before: Served, after: Served, boundAfter: boolean): ImpactChange {
  if (after.kind === "refuse") {
    if (before.kind === "serve") return "broken";
    return boundAfter ? "unserved" : "removed";
  }
  if (before.kind === "refuse") return "gained";
  const [old, now] = [before.thumbprints.toSorted(), after.thumbprints.toSorted()];
  return old.length === now.length && old.every((each, at) => each === now[at]) ? "same" : "changed";
}

function compareRows(a: ImpactRow, b: ImpactRow): number {
  const worse = WORST_FIRST.indexOf(a.change) - WORST_FIRST.indexOf(b.change);
  if (worse !== 0) return worse;
  if (a.host !== b.host) return a.host < b.host ? -1 : 1;
  return a.port - b.port;
}
