import { posix } from "node:path";

import { parseHostPattern, type HostPattern } from "../../base/index.ts";
import type { Budget } from "../budget.ts";
import { invalid } from "../invalid.ts";
import type { Notes } from "../notes.ts";
import type { Directive } from "./directives.ts";
import { readListen, type Listen } from "./listen.ts";
import { resolvePath } from "./expand.ts";

/** A `server` block with what it inherits. */
export interface Server {
  readonly path: string;
  readonly line: number;
  /** Its first name, else where it stands. */
  readonly site: string;
  /** `stream` servers end TLS or pass it on, but know no HTTP. */
  readonly kind: "http" | "stream";
  readonly listens: readonly Listen[];
  /** Names that a pattern can say: `.example.com` is both the name and every name below. */
  readonly hosts: readonly HostPattern[];
  /** Certificate files, resolved. */
  readonly files: readonly string[];
  readonly rejects: boolean;
  readonly protocols?: { readonly names: readonly string[]; readonly source: string };
}

/** Directives that a server takes from the block around it when it has none of its own. */
const INHERITED = new Set(["ssl", "ssl_certificate", "ssl_protocols", "ssl_reject_handshake"]);

/** One server has a certificate for each kind of key. */
const MAX_CERTIFICATES = 64;

/** What reading servers needs; `folder` is that of the main file. */
export interface Surroundings {
  readonly folder: string;
  readonly notes: Notes;
  readonly budget: Budget;
}

/** Every server of a configuration. A file that holds servers alone is taken as one of `http`. */
export function serversOf(directives: readonly Directive[], surroundings: Surroundings): readonly Server[] {
  const inside = (name: "http" | "stream") => named(directives, name).flatMap(({ block = [] }) => readServers(name, block, surroundings));
  for (const { path, line } of named(directives, "mail")) surroundings.notes.add(path, line, "servers of mail are not looked at");
  return [...inside("http"), ...inside("stream"), ...readServers("http", directives, surroundings)];
}

function readServers(kind: Server["kind"], block: readonly Directive[], surroundings: Surroundings): readonly Server[] {
  const around = block.filter(({ name }) => INHERITED.has(name));
  return named(block, "server").flatMap((server) =>
    server.block === undefined ? [] : [readServer(server, { ...surroundings, kind, around })],
  );
}

const named = (directives: readonly Directive[], name: string): readonly Directive[] => directives.filter((each) => each.name === name);

interface Context extends Surroundings {
  readonly kind: Server["kind"];
  readonly around: readonly Directive[];
}

function readServer(server: Directive, context: Context): Server {
  const { block = [], path, line } = server;
  const own = (name: string): readonly Directive[] => named(block, name);
  /** nginx replaces a list from outside as a whole. */
  const effective = (name: string): readonly Directive[] => (own(name).length > 0 ? own(name) : named(context.around, name));
  const names = own("server_name").flatMap(({ args }) => args);
  const protocols = effective("ssl_protocols").at(-1);
  const certificates = effective("ssl_certificate");
  if (certificates.length > MAX_CERTIFICATES) throw invalid(path, line, `a server with more than ${MAX_CERTIFICATES} certificates`);
  return {
    path,
    line,
    site: names.find((name) => name !== "" && name !== "_") ?? `${posix.basename(path)}:${line}`,
    kind: context.kind,
    listens: listensOf(own("listen"), isOn(effective("ssl")), { server, context }),
    hosts: hostsOf(names, server, context),
    files: certificates.flatMap((each) => certificateFile(each, context)),
    rejects: isOn(effective("ssl_reject_handshake")),
    ...(protocols === undefined ? {} : { protocols: { names: protocols.args, source: `${protocols.path}:${protocols.line}` } }),
  };
}

const isOn = (directives: readonly Directive[]): boolean => directives.at(-1)?.args[0] === "on";

function listensOf(
  directives: readonly Directive[],
  ssl: boolean,
  { server, context }: { server: Directive; context: Context },
): readonly Listen[] {
  // Without `listen`, nginx takes port 80 (8000 when it does not run as root).
  if (directives.length === 0 && context.kind === "http")
    return [{ address: "*", port: 80, ssl, quic: false, isDefault: false, proxyProtocol: false }];
  if (context.kind === "stream" && (server.block ?? []).some(({ name, args }) => name === "ssl_preread" && args[0] === "on"))
    context.notes.add(server.path, server.line, "passes TLS on to other servers (ssl_preread): dial those");
  return directives.flatMap(({ args, path, line }) => {
    const read = readListen(args);
    if (typeof read !== "string") context.budget.spend("bindings", read.length, { path, line });
    if (typeof read !== "string") return read.map((listen) => ({ ...listen, ssl: listen.ssl || ssl }));
    context.notes.add(path, line, `listen: ${read}`);
    return [];
  });
}

function certificateFile({ args, path, line }: Directive, { folder, notes }: Context): readonly string[] {
  const [file] = args;
  if (file === undefined) return [];
  if (file.includes("$")) {
    notes.add(path, line, `ssl_certificate ${file}: which files these are depends on the client`);
    return [];
  }
  if (/^(data|engine|store):/.test(file)) {
    notes.add(path, line, `ssl_certificate ${file.slice(0, file.indexOf(":"))}: is no file`);
    return [];
  }
  return [resolvePath(folder, file)];
}

function hostsOf(names: readonly string[], { path, line }: Directive, { notes }: Context): readonly HostPattern[] {
  const hosts = names.flatMap((name) => {
    if (name === "" || name === "_") return [];
    const patterns = name.startsWith(".") ? [name.slice(1), `*${name}`] : [name];
    const parsed = patterns.map((pattern) => parseHostPattern(pattern));
    if (parsed.every((host) => host !== undefined)) return parsed;
    notes.add(path, line, `server_name ${name}: which names these are cannot be listed`);
    return [];
  });
  return [...new Set(hosts)];
}
