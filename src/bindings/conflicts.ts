import { wildcardOf, type HostName } from "../base/index.ts";
import { fileOf, placeOf, sortByPort, type NamedRow, type NameGroup, type PortBindings } from "./port-bindings.ts";
import { rowKeyText } from "./row-key.ts";
import type { Binding, BindingConflict } from "./types.ts";

/** Bindings that a conflict lists; a farm may have a hundred thousand behind one row. */
const MAX_LISTED = 10;

/** Everything contradictory in a configuration's bindings, errors first. Takes time in proportion to the number of bindings. */
export function findConflicts(bindings: readonly Binding[]): readonly BindingConflict[] {
  const conflicts: BindingConflict[] = [];
  for (const port of sortByPort(bindings)) {
    conflicts.push(...twoFiles(port), ...ipShadows(port), ...hostShadows(port), ...catchingRows(port));
    conflicts.push(...withoutHost(port), ...withoutSni(port), ...plainHttp(port));
  }
  return conflicts.sort((a, b) => Number(a.severity === "warning") - Number(b.severity === "warning"));
}

function* twoFiles({ named }: PortBindings): Generator<BindingConflict> {
  for (const { key, file, bindings } of named.values()) {
    const files = [...new Set(bindings.map(fileOf))];
    if (files.length < 2) continue;
    const message = `${rowKeyText(key)} can name one file, and bindings ask for ${files.join(" and ")}; ${file} is taken. Give one of the sites another host name or address, or the same file`;
    yield conflict("error", "two-files", [{ key }], { bindings, message });
  }
}

/** The commonest reason for a wrong certificate: one site without SNI answers for everybody on its address. */
function* ipShadows({ named, byName }: PortBindings): Generator<BindingConflict> {
  for (const row of named.values()) {
    if (row.key.kind !== "ip") continue;
    const { address } = row.key;
    const same = shadowed(byName.get(address), row.file);
    if (same.total > 0) {
      const message = `${rowKeyText(row.key)} is looked at first and answers with ${row.file} for every name, so ${counted(same, "binding")} on that address never get their own certificate. Require SNI on the site with ${row.file}, or give it an address of its own`;
      yield conflict("error", "ip-row-shadows", [row], { ...same, message });
    }
    const everywhere = shadowed(byName.get("*"), row.file);
    if (everywhere.total === 0) continue;
    const message = `Clients that reach ${address} get ${row.file} whatever name they ask for; ${counted(everywhere, "binding")} for every address keep their own certificate on the other addresses only. This is right when no other site's name leads to ${address}`;
    yield conflict("warning", "ip-row-shadows", [row], { ...everywhere, message });
  }
}

/** The bindings of a group that want another certificate: how many, and the first of them. */
function shadowed(group: NameGroup | undefined, file: string): Some {
  const total = group === undefined ? 0 : group.bindings.length - (group.byFile.get(file) ?? 0);
  const bindings: Binding[] = [];
  for (const binding of total === 0 ? [] : (group?.bindings ?? [])) {
    if (fileOf(binding) === file) continue;
    bindings.push(binding);
    if (bindings.length === MAX_LISTED) break;
  }
  return { total, bindings };
}

function* hostShadows({ named, central }: PortBindings): Generator<BindingConflict> {
  const taken = centralByRow(named, central);
  for (const [text, { row, same, covered }] of taken) {
    if (same.length > 0) {
      const message = `${counted(all(same), "binding")} to the central certificates has a row for ${row.file}, too: ${text} is looked at first, so the central file is never served. Keep one of the two`;
      yield conflict("error", "host-row-shadows", [row], { bindings: same, message });
    }
    if (covered.length === 0) continue;
    const message = `${text} is looked at before the central row, so ${counted(all(covered), "name")} bound to the central certificates get ${row.file}`;
    yield conflict("warning", "host-row-shadows", [row], { bindings: covered, message });
  }
}

/** What each host row takes from the central certificates: its own host, and the names that a wildcard covers. */
interface Taken {
  readonly row: NamedRow;
  readonly same: Binding[];
  readonly covered: Binding[];
}

function centralByRow(named: PortBindings["named"], central: readonly Binding[]): ReadonlyMap<string, Taken> {
  const taken = new Map<string, Taken>();
  for (const [text, row] of named) if (row.key.kind === "host") taken.set(text, { row, same: [], covered: [] });
  if (taken.size === 0) return taken;
  for (const binding of central) {
    const { host, port } = binding;
    if (host === undefined) continue;
    const own = taken.get(rowKeyText({ kind: "host", host, port }));
    if (own !== undefined) own.same.push(binding);
    else if (!host.startsWith("*.")) taken.get(`host:${wildcardOf(host as string as HostName) ?? ""}:${port}`)?.covered.push(binding); // no `*.`: a name
  }
  return taken;
}

function* catchingRows({ port, named, central }: PortBindings): Generator<BindingConflict> {
  const catching = [...named.values()].filter((row) => row.key.kind === "any");
  const file = catching[0]?.file;
  if (file === undefined || central.length === 0) return;
  const message = `On port ${port} a name without a certificate file is not refused but answered with ${file}, and browsers will warn of a wrong name. Leave out the binding without SNI unless clients without SNI need it`;
  yield conflict("warning", "any-row-catches-misses", catching, { bindings: catching.flatMap((row) => row.bindings), message });
}

function* withoutHost({ port, sniWithoutHost }: PortBindings): Generator<BindingConflict> {
  if (sniWithoutHost.length === 0) return;
  const files = [...new Set(sniWithoutHost.map(fileOf))].slice(0, MAX_LISTED).join(" and ");
  const message = `On port ${port} ${files} is to be chosen by SNI, but the binding has no host name. Name the host, or do not require SNI`;
  yield conflict("error", "sni-without-host", [], { bindings: sniWithoutHost, message });
}

function* withoutSni({ port, named, central }: PortBindings): Generator<BindingConflict> {
  if (named.has(`any:0.0.0.0:${port}`)) return;
  const lost = central.filter(({ sni, address }) => !sni && !(address !== "*" && named.has(rowKeyText({ kind: "ip", address, port }))));
  if (lost.length === 0) return;
  const message = `${counted(all(lost), "binding")} on port ${port} do not require SNI, but the central certificates are chosen by the name that SNI carries: clients without it are refused. Require SNI, or bind a default certificate to the port`;
  yield conflict("warning", "central-without-sni", [{ key: { kind: "central", port } }], { bindings: lost, message });
}

function* plainHttp({ port, http, https }: PortBindings): Generator<BindingConflict> {
  if (http.length === 0 || https.length === 0) return;
  const places = new Set(https.map(({ address }) => placeOf(address)));
  const clashing = http.filter(({ address }) => placeOf(address) === "*" || places.has("*") || places.has(address));
  if (clashing.length === 0) return;
  const message = `Port ${port} is bound to http and to https on the same address; it can speak one of them. Move one to another port`;
  yield conflict("error", "http-on-tls-port", [], { bindings: clashing, message });
}

function conflict(
  severity: BindingConflict["severity"],
  code: BindingConflict["code"],
  rows: readonly Pick<NamedRow, "key">[],
  rest: { readonly bindings: readonly Binding[]; readonly message: string },
): BindingConflict {
  return { severity, code, rows: rows.map(({ key }) => key), bindings: rest.bindings.slice(0, MAX_LISTED), message: `${rest.message}.` };
}

/** Some bindings that stand for `total`. */
interface Some {
  readonly total: number;
  readonly bindings: readonly Binding[];
}

const all = (bindings: readonly Binding[]): Some => ({ total: bindings.length, bindings });

/** `1 binding (a)`, `5 bindings (a, b, c, …)`. */
function counted({ total, bindings }: Some, noun: string): string {
  const hosts = bindings.slice(0, 3).map(({ host }) => host ?? "any host");
  const more = total > hosts.length ? ", …" : "";
  return `${total} ${noun}${total === 1 ? "" : "s"} (${hosts.join(", ")}${more})`;
}
