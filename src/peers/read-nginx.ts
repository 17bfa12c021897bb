import { posix } from "node:path";

import type { IpAddress } from "../base/index.ts";
import type { EvidenceBinding, ListenerEvidence } from "../doctor/index.ts";
import { createBudget, type Budget } from "./budget.ts";
import { invalid } from "./invalid.ts";
import { LIMITS } from "./limits.ts";
import { findInDump, splitDump } from "./nginx/dump.ts";
import { expandDirectives } from "./nginx/expand.ts";
import type { Listen } from "./nginx/listen.ts";
import { serversOf, type Server } from "./nginx/servers.ts";
import { createNotes, type Notes } from "./notes.ts";
import { protocolsOf, type TlsVersion, type WrittenVersions } from "./tls-versions.ts";
import type { ConfigFile, FindFiles, PeerReading } from "./types.ts";

/**
 * What an nginx configuration says of names, listeners and certificate files. `main` is nginx.conf, a file of servers, or what `nginx -T`
 * prints: then `find` is not asked.
 * @throws PEER_CONFIG_INVALID with file and line, for a text that nginx would refuse as well or one that is over the limits
 */
export async function readNginx(main: ConfigFile, find: FindFiles): Promise<PeerReading> {
  if (main.text.length > LIMITS.characters) throw invalid(main.path, 1, `the configuration is larger than ${LIMITS.characters} characters`);
  const [notes, budget] = [createNotes(), createBudget()];
  const dump = splitDump(main);
  const [first, finder] =
    dump === undefined ? ([main, find] as const) : ([dump[0], async (pattern: string) => findInDump(dump, pattern)] as const);
  const directives = await expandDirectives(first, { find: finder, notes, budget });
  const places = groupPlaces(serversOf(directives, { folder: posix.dirname(first.path), notes, budget }));
  const bindings = [...places.values()].flatMap((place) => [...bindingsOf(place, notes, budget)]);
  const protocols = protocolsOf([...places.values()].filter(({ ssl }) => ssl).map(({ standard }) => versionsOf(standard)));
  return {
    evidence: {
      make: "nginx",
      source: main.path,
      bindings: { source: main.path, bindings },
      listeners: [...places.values()].filter(({ ssl, standard }) => ssl || standard.kind === "http").map(listenerOf),
      ...(protocols === undefined ? {} : { protocols }),
    },
    files: [...new Set(bindings.flatMap(({ files = [] }) => files))],
    notes: notes.all(),
  };
}

/** An address and port, and the servers there. Options of `listen` count for all of them. */
interface Place {
  readonly address: IpAddress | "*";
  readonly port: number;
  readonly servers: readonly Server[];
  /** The server that answers names that no other has: the one that says so, else the first. */
  readonly standard: Server;
  readonly ssl: boolean;
  readonly proxyProtocol: boolean;
}

function groupPlaces(servers: readonly Server[]): ReadonlyMap<string, Place> {
  const groups = new Map<string, { readonly server: Server; readonly listen: Listen }[]>();
  for (const server of servers) {
    for (const listen of server.listens) {
      if (listen.quic) continue;
      const key = `${listen.address} ${listen.port}`;
      const there = groups.get(key);
      if (there === undefined) groups.set(key, [{ server, listen }]);
      else there.push({ server, listen });
    }
  }
  const places = new Map<string, Place>();
  for (const [key, group] of groups) {
    const [first] = group;
    if (first === undefined) continue;
    const { address, port } = first.listen;
    places.set(key, {
      address,
      port,
      servers: [...new Set(group.map(({ server }) => server))],
      standard: (group.find(({ listen }) => listen.isDefault) ?? first).server,
      ssl: group.some(({ listen }) => listen.ssl),
      proxyProtocol: group.some(({ listen }) => listen.proxyProtocol),
    });
  }
  return places;
}

function* bindingsOf(place: Place, notes: Notes, budget: Budget): Generator<EvidenceBinding> {
  const { address, port, ssl } = place;
  for (const server of place.servers) {
    // A stream server without TLS passes on what comes: the servers behind it have the names.
    if (server.kind === "stream" && !ssl) continue;
    if (ssl && server.rejects) {
      notes.add(server.path, server.line, `refuses handshakes on port ${port} (ssl_reject_handshake)`);
      continue;
    }
    budget.spend("bindings", 1 + server.hosts.length, server);
    const base = { site: server.site, protocol: ssl ? "https" : "http", address, port, central: false } as const;
    const files = ssl ? { files: server.files } : {};
    if (server === place.standard) yield { ...base, sni: false, ...files };
    for (const host of server.hosts) yield { ...base, host, sni: ssl, ...files };
  }
}

function listenerOf({ address, port, ssl, proxyProtocol }: Place): ListenerEvidence {
  const at = address === "*" ? ("0.0.0.0" as IpAddress) : address; // every address
  return { endpoint: { address: at, port }, bindingPort: port, protocol: ssl ? "https" : "http", proxyProtocol };
}

const VERSIONS: Readonly<Record<string, TlsVersion>> = {
  TLSv1: "TLS 1.0",
  "TLSv1.1": "TLS 1.1",
  "TLSv1.2": "TLS 1.2",
  "TLSv1.3": "TLS 1.3",
};

/** nginx chooses the version before it knows the name: that of the default server counts. */
function versionsOf({ protocols }: Server): WrittenVersions | undefined {
  if (protocols === undefined) return undefined;
  return { source: protocols.source, versions: protocols.names.flatMap((name) => VERSIONS[name] ?? []) };
}
