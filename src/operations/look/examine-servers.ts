import { FarmError, parseHostName, requireHostName, toFarmError, type Clock, type HostName, type Log } from "../../base/index.ts";
import type { WorkerSettings } from "../../certificates/index.ts";
import type { ExaminedNode, Examination, Gap, NodeEvidence } from "../../doctor/index.ts";
import { dialGroups } from "./dial.ts";
import { eachBounded } from "./each-bounded.ts";
import { joinServers, undialled, type KnownServer } from "./join-servers.ts";
import type { DialSettings, LookControl } from "./look-settings.ts";
import { readEvidence } from "./read-evidence.ts";
import { readPeers } from "./read-peers.ts";
import { readShare, type ShareReading } from "./read-share.ts";
import { resolveHosts } from "./resolve-hosts.ts";
import { resolveServer, type ServerAddresses } from "./server-addresses.ts";

/** Any servers at all: what to dial, and files that tell of them. */
export interface ServerLook extends DialSettings {
  /** Absent = the names that the evidence binds. */
  readonly hosts?: readonly string[];
  /** As resolveServer takes them. */
  readonly nodes?: readonly string[];
  readonly via?: string;
  /** As readEvidence takes them. */
  readonly evidence?: readonly string[];
  /** Folder of the central certificates. */
  readonly share?: string;
  readonly passwordFile?: string;
  readonly nginx?: readonly string[];
  readonly haproxy?: readonly string[];
}

/** What looking from this machine works with: no farm. */
export interface HereParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly workers?: WorkerSettings;
}

const SERVERS_AT_ONCE = 32;
const MAX_HOSTS = 50_000;
const SAMPLE_LABEL = "certfarm-proof";

/**
 * Looks at servers from this machine: reads files first, as they may say which hosts there are, then dials and resolves at once.
 * @throws DOCTOR_NOTHING_TO_LOOK_AT, DOCTOR_FILE_UNREADABLE, ENDPOINT_INVALID when no server that was named has an address,
 * HOST_NAME_INVALID, IIS_EVIDENCE_INVALID, IIS_INPUT_TOO_LARGE, PEER_CONFIG_INVALID, CERTIFICATES_PASSWORDS_INVALID, PROBE_ROOTS_INVALID
 */
export async function examineServers(parts: HereParts, look: ServerLook & LookControl): Promise<Examination> {
  const at = parts.clock.now();
  const [files, named] = await Promise.all([readFiles(parts, look), resolveAll(look)]);
  const nodes = [...joinServers(named.servers, files.known), ...(await balancerOf(look))];
  const hosts = hostsOf(look, nodes);
  if (nodes.length === 0) throw new FarmError("DOCTOR_NOTHING_TO_LOOK_AT", "no server was named, and no evidence");
  // Evidence alone tells much: a table without bindings names no host.
  if (hosts.length === 0 && nodes.every(({ evidence }) => evidence === undefined))
    throw new FarmError("DOCTOR_NOTHING_TO_LOOK_AT", "no host was named, and there is no evidence that names one");
  const dialled = nodes.filter(({ endpoints }) => endpoints.length > 0);
  const [dns, seen] = await Promise.all([
    resolveHosts(hosts, look),
    dialGroups([{ nodes: dialled, hosts: hosts.map((name) => ({ name })) }], { ...look, clock: parts.clock }, look),
  ]);
  return {
    at,
    hosts: hosts.map((name) => {
      const resolved = dns.resolved.get(name);
      return { name, ...(resolved === undefined ? {} : { resolved }) };
    }),
    nodes,
    cells: seen.cells,
    ...(files.share === undefined || look.share === undefined ? {} : { central: { source: look.share, files: files.share.files } }),
    roots: look.caPem === undefined ? "system" : "given",
    gaps: [...files.gaps, ...named.gaps, ...undialled(nodes), ...dns.gaps, ...seen.gaps],
  };
}

interface FilesRead {
  readonly known: readonly KnownServer[];
  readonly share?: ShareReading;
  readonly gaps: readonly Gap[];
}

async function readFiles(parts: HereParts, look: ServerLook & LookControl): Promise<FilesRead> {
  const { signal, onProgress, nginx = [], haproxy = [], passwordFile } = look;
  const common = { ...parts, now: parts.clock.now(), ...(signal === undefined ? {} : { signal }) };
  const [iis, peers, share] = await Promise.all([
    readEvidence(look.evidence ?? []),
    readPeers({ ...common, nginx, haproxy }),
    look.share === undefined
      ? undefined
      : readShare({
          ...common,
          folder: look.share,
          ...(passwordFile === undefined ? {} : { passwordFile }),
          onProgress: (progress) => onProgress?.({ phase: "files", ...progress }),
        }),
  ]);
  return {
    known: [...iis.nodes.map(({ name, evidence }) => ({ name, evidence, endpoints: [] })), ...peers],
    ...(share === undefined ? {} : { share }),
    gaps: [...iis.gaps, ...iis.nodes.flatMap(({ gaps }) => gaps), ...peers.flatMap(({ gaps }) => gaps), ...(share?.gaps ?? [])],
  };
}

/** A name that has no address holds back no other, unless it is the only one. */
async function resolveAll({
  nodes = [],
  signal,
}: ServerLook & LookControl): Promise<{ readonly servers: readonly ServerAddresses[]; readonly gaps: readonly Gap[] }> {
  const found = await eachBounded(nodes, SERVERS_AT_ONCE, async (text) => {
    try {
      return await resolveServer(text, signal);
    } catch (error) {
      return toFarmError(error);
    }
  });
  const servers = found.flatMap((one) => (one instanceof FarmError ? [] : [one]));
  const failed = found.flatMap((one) => (one instanceof FarmError ? [one] : []));
  if (servers.length === 0 && failed[0] !== undefined) throw failed[0];
  return { servers, gaps: failed.map(({ message }) => ({ what: "dns", why: message })) };
}

async function balancerOf({ via, signal }: ServerLook & LookControl): Promise<readonly ExaminedNode[]> {
  if (via === undefined) return [];
  const { name, endpoints } = await resolveServer(via, signal);
  return [{ name, role: "balancer", endpoints }];
}

function hostsOf({ hosts }: ServerLook, nodes: readonly ExaminedNode[]): readonly HostName[] {
  if (hosts !== undefined) return [...new Set(hosts.map(requireHostName))];
  const bound = nodes.flatMap(({ evidence }) => (evidence === undefined ? [] : boundHosts(evidence)));
  return [...new Set(bound)].slice(0, MAX_HOSTS);
}

/** Names of https bindings; a label that nobody has stands for a wildcard. */
function boundHosts({ bindings, table }: NodeEvidence): readonly HostName[] {
  const patterns = [
    ...(bindings?.bindings ?? []).flatMap(({ protocol, host }) => (protocol === "https" && host !== undefined ? [host] : [])),
    ...(bindings === undefined ? (table?.rows ?? []).flatMap(({ key }) => ("host" in key ? [key.host] : [])) : []),
  ];
  return patterns.flatMap((pattern) => parseHostName(pattern.startsWith("*.") ? `${SAMPLE_LABEL}${pattern.slice(1)}` : pattern) ?? []);
}
