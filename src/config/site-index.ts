import { wildcardOf, type HostName, type HostPattern } from "../base/index.ts";
import type { Binding } from "../bindings/index.ts";
import type { FarmConfig, SiteConfig, SiteIndex, TlsPolicy } from "./types.ts";

/** Finds the owner of the binding that fits best: exact host, then wildcard, then any host. */
export type BindingIndex<T> = (protocol: "http" | "https", port: number, host: HostName | undefined) => T | undefined;

/** An index over bindings; of two owners of one name the first stays. A look-up is at most three map reads. */
export function indexBindings<T>(owners: readonly { readonly owner: T; readonly bindings: readonly Binding[] }[]): BindingIndex<T> {
  const tables = new Map<string, Map<HostPattern | "*", T>>();
  for (const { owner, bindings } of owners) {
    for (const { protocol, port, host } of bindings) {
      const key = `${protocol}:${port}`;
      const table = tables.get(key) ?? new Map<HostPattern | "*", T>();
      tables.set(key, table);
      if (!table.has(host ?? "*")) table.set(host ?? "*", owner);
    }
  }
  return (protocol, port, host) => {
    const table = tables.get(`${protocol}:${port}`);
    if (table === undefined) return undefined;
    if (host === undefined) return table.get("*");
    const wildcard = wildcardOf(host);
    const exact = table.get(host as string as HostPattern); // every HostName is a HostPattern
    return exact ?? (wildcard === undefined ? undefined : table.get(wildcard)) ?? table.get("*");
  };
}

/** The index of a configuration's sites, for look-ups on every request. Built in one pass. */
export function createSiteIndex(config: FarmConfig): SiteIndex {
  const find = indexBindings(config.sites.map((site) => ({ owner: site, bindings: site.bindings })));
  const httpsHosts = new Map<string, { readonly host: HostPattern; readonly port: number; readonly site: string }>();
  for (const site of config.sites) {
    for (const { protocol, port, host } of site.bindings) {
      if (protocol === "https" && host !== undefined) httpsHosts.set(`${host}:${port}`, { host, port, site: site.name });
    }
  }
  return { find, httpsHosts: [...httpsHosts.values()] };
}

/** The TLS policy of a connection: the one of the site that takes its host (undefined = no SNI), else the farm's. */
export function policyFor(config: FarmConfig, index: SiteIndex, port: number, host: HostName | undefined): TlsPolicy {
  const site: SiteConfig | undefined = index.find("https", port, host);
  return site?.tls ?? config.tls;
}

/** The bindings of every site. */
export const bindingsOf = (config: FarmConfig): readonly Binding[] => config.sites.flatMap((site) => site.bindings);

/** The binding ports to listen on and what is spoken there, ascending; a port has one protocol. */
export function servedPorts(config: FarmConfig): readonly { readonly port: number; readonly protocol: "http" | "https" }[] {
  const ports = new Map<number, "http" | "https">();
  for (const site of config.sites) for (const { port, protocol } of site.bindings) ports.set(port, protocol);
  return [...ports].map(([port, protocol]) => ({ port, protocol })).sort((a, b) => a.port - b.port);
}
