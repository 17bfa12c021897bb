import { FarmError, parseHostPattern, requireHostName, wildcardOf, type HostName } from "../../base/index.ts";
import { createSiteIndex, type FarmConfig } from "../../config/index.ts";
import { createDrains, type HostProof, type NodeReport } from "../../replica/index.ts";
import type { OperationsParts } from "../parts.ts";
import type { FarmView } from "../present-farm.ts";
import { SILENT_MS } from "../status.ts";
import type { DrillRun } from "./drill-journal.ts";

/** Where a drill is to be. Absent = chosen. */
export interface DrillPlace {
  readonly node?: string;
  readonly host?: string;
}

/** Where a drill is done, and the configuration that holds there. */
export interface ChosenPlace {
  readonly node: string;
  readonly host: HostName;
  readonly port: number;
  readonly config: FarmConfig;
}

/** What is known of the farm when a place is chosen. */
interface Sight {
  readonly config: FarmConfig;
  /** Nodes that report, get connections and have no drill, in the configuration's order. */
  readonly sound: readonly NodeReport[];
}

/**
 * Finds a place for a drill: a host that the node has proved, and that another node without a drill has proved too: whoever has to
 * serve goes on. @throws NODE_UNKNOWN, CONFIG_REVISION_ABSENT, HOST_NAME_INVALID, DRILL_NOT_POSSIBLE, STORE_UNAVAILABLE
 */
export async function choosePlace(
  parts: OperationsParts,
  farm: FarmView,
  { place, running }: { readonly place: DrillPlace; readonly running: readonly DrillRun[] },
): Promise<ChosenPlace> {
  if (place.node !== undefined) await farm.chosen(place.node);
  const sight = await look(parts, farm, running);
  const { host, port } = hostOf(sight, place);
  const proving = sight.sound.filter((report) => proves(report, host, port));
  const node = place.node ?? proving.at(-1)?.node;
  if (node === undefined) throw impossible(`no node has proved ${host}`);
  if (!proving.some((report) => report.node === node))
    throw impossible(`${node} has not proved ${host}, is drained or has a drill already: a drill begins where all is well`);
  if (proving.length < 2) throw impossible(`${node} is the only node that serves ${host} now: a drill would take it away from its clients`);
  return { node, host, port, config: sight.config };
}

async function look({ store, clock, signing }: OperationsParts, farm: FarmView, running: readonly DrillRun[]): Promise<Sight> {
  const [{ config }, reports, drains] = await Promise.all([
    farm.present(),
    farm.reports.all(),
    createDrains(store, { clock, signing }).list(),
  ]);
  if (config === undefined) throw new FarmError("CONFIG_REVISION_ABSENT", "the farm has no revision that can be read");
  const out = new Set([...drains, ...running].map(({ node }) => node));
  const sound = config.nodes.flatMap(({ name }) => {
    const found = reports.find(({ report, ageMs }) => report.node === name && ageMs < SILENT_MS);
    return found === undefined || out.has(name) ? [] : [found.report];
  });
  return { config, sound };
}

/** The host that was asked for, or the first that at least two nodes have proved. */
function hostOf({ config, sound }: Sight, { host, node }: DrillPlace): { readonly host: HostName; readonly port: number } {
  const index = createSiteIndex(config);
  if (host !== undefined) {
    const name = requireHostName(host);
    const ports = [...new Set(config.sites.flatMap(({ bindings }) => bindings.filter(({ protocol }) => protocol === "https").map(({ port }) => port)))]; // prettier-ignore
    const port = ports.find((one) => index.find("https", one, name) !== undefined);
    if (port === undefined) throw impossible(`the configuration binds ${name} on no https port`);
    return { host: name, port };
  }
  for (const { host: pattern, port } of index.httpsHosts) {
    if (pattern.startsWith("*.")) continue;
    const name = requireHostName(pattern);
    const proving = sound.filter((report) => proves(report, name, port)).map((report) => report.node);
    if (proving.length >= 2 && (node === undefined || proving.includes(node))) return { host: name, port };
  }
  throw impossible("no host of the configuration is proved by two nodes: wait for the farm, or name one with --host");
}

function proves({ proof }: NodeReport, host: HostName, port: number): boolean {
  const wildcard = wildcardOf(host);
  const names = new Set<string>([host, ...(wildcard === undefined ? [] : [wildcard])]);
  const found = proof.hosts.filter((one) => one.port === port && names.has(one.host));
  const best = found.find((one: HostProof) => one.host === host) ?? found[0];
  // A binding for any host proves nothing until it is asked; a list that was cut says nothing of those left out.
  return best === undefined ? parseHostPattern(host) !== undefined && proof.failed === 0 : best.verdict === "proved";
}

const impossible = (why: string): FarmError => new FarmError("DRILL_NOT_POSSIBLE", why);
