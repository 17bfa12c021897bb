import { keysOf } from "./binding-keys.ts";
import { rowKeyText } from "./row-key.ts";
import type { Binding, RowKey } from "./types.ts";

/** A row that bindings ask for, and the file that the first of them names. */
export interface NamedRow {
  readonly key: RowKey;
  readonly file: string;
  readonly bindings: Binding[];
}

/** Bindings whose certificate is chosen by name (central, or SNI). */
export interface NameGroup {
  readonly bindings: Binding[];
  /** How many of them ask for a file (fileOf). */
  readonly byFile: Map<string, number>;
}

/** The file that a binding names; empty, which no file's name is, when it asks for the central certificates. */
export function fileOf({ certificate }: Binding): string {
  return certificate === "central" ? "" : certificate.file;
}

/** An address, or `*` for every spelling of all of them: a warning about one family is right for both. */
export function placeOf(address: Binding["address"]): string {
  return address === "0.0.0.0" || address === "::" ? "*" : address;
}

/** The bindings of one port, sorted for the questions that conflicts ask. */
export interface PortBindings {
  readonly port: number;
  readonly http: Binding[];
  readonly https: Binding[];
  readonly central: Binding[];
  /** By the text of their key: rows that name a file. */
  readonly named: Map<string, NamedRow>;
  /** By placeOf their address. */
  readonly byName: Map<string, NameGroup>;
  readonly sniWithoutHost: Binding[];
}

/** Bindings by port, lowest port first. */
export function sortByPort(bindings: readonly Binding[]): readonly PortBindings[] {
  const ports = new Map<number, PortBindings>();
  for (const binding of bindings) {
    let port = ports.get(binding.port);
    if (port === undefined) ports.set(binding.port, (port = emptyPort(binding.port)));
    if (binding.protocol === "http") port.http.push(binding);
    else take(port, binding);
  }
  return [...ports.values()].sort((a, b) => a.port - b.port);
}

function take(port: PortBindings, binding: Binding): void {
  const { sni, address, certificate } = binding;
  port.https.push(binding);
  if (sni || certificate === "central") appendByFile(port.byName, placeOf(address), binding);
  if (certificate === "central") {
    port.central.push(binding);
    return;
  }
  const keys = keysOf(binding);
  if (keys.length === 0) port.sniWithoutHost.push(binding);
  for (const key of keys) {
    const text = rowKeyText(key);
    const row = port.named.get(text);
    if (row === undefined) port.named.set(text, { key, file: certificate.file, bindings: [binding] });
    else row.bindings.push(binding);
  }
}

function appendByFile(groups: Map<string, NameGroup>, address: string, binding: Binding): void {
  let group = groups.get(address);
  if (group === undefined) groups.set(address, (group = { bindings: [], byFile: new Map() }));
  group.bindings.push(binding);
  group.byFile.set(fileOf(binding), (group.byFile.get(fileOf(binding)) ?? 0) + 1);
}

function emptyPort(port: number): PortBindings {
  return {
    port,
    http: [],
    https: [],
    central: [],
    named: new Map(),
    byName: new Map(),
    sniWithoutHost: [],
  };
}
