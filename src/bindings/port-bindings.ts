import { wildcardOf, type HostName } from "../base/index.ts";
import { keysOf } from "./binding-keys.ts";
import { rowKeyText } from "./row-key.ts";
import type { Binding, RowKey } from "./types.ts";

/** A row that bindings ask for, and the file that the first of them names. */
export interface NamedRow {
  readonly key: RowKey;
  readonly file: string;
  readonly bindings: Binding[];
}

/** The bindings of one port, sorted for the questions that conflicts ask. */
export interface PortBindings {
  readonly port: number;
  readonly http: Binding[];
  readonly https: Binding[];
  readonly central: Binding[];
  readonly centralByHost: Map<string, Binding[]>;
  /** By the wildcard that covers their host. */
  readonly centralByWildcard: Map<string, Binding[]>;
  /** By the text of their key: rows that name a file. */
  readonly named: Map<string, NamedRow>;
  /** By address: bindings whose certificate is chosen by name (central, or SNI). */
  readonly byName: Map<string, Binding[]>;
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
  const { host, sni, address, certificate } = binding;
  port.https.push(binding);
  if (sni || certificate === "central") append(port.byName, address, binding);
  if (certificate === "central") {
    port.central.push(binding);
    if (host === undefined) return;
    append(port.centralByHost, host, binding);
    const wildcard = host.startsWith("*.") ? undefined : wildcardOf(host as string as HostName); // a pattern without `*.` is a name
    if (wildcard !== undefined) append(port.centralByWildcard, wildcard, binding);
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

function append(map: Map<string, Binding[]>, key: string, binding: Binding): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [binding]);
  else list.push(binding);
}

function emptyPort(port: number): PortBindings {
  return {
    port,
    http: [],
    https: [],
    central: [],
    centralByHost: new Map(),
    centralByWildcard: new Map(),
    named: new Map(),
    byName: new Map(),
    sniWithoutHost: [],
  };
}
