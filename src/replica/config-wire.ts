import type { ConfigReading, SiteConfig } from "../config/index.ts";

/** A ConfigReading that can cross threads: the same but for URLs, which cannot be cloned. */
export type WireReading = { readonly reading: ConfigReading; readonly upstreams: readonly (readonly string[])[] };

const upstreamsOf = (site: SiteConfig): readonly string[] => (site.serve.kind === "proxy" ? site.serve.upstreams.map(String) : []);

const withUpstreams = (site: SiteConfig, upstreams: readonly URL[]): SiteConfig =>
  site.serve.kind === "proxy" ? { ...site, serve: { ...site.serve, upstreams } } : site;

/** Takes the URLs out, by site. */
export function toWire(reading: ConfigReading): WireReading {
  if (reading.kind === "invalid") return { reading, upstreams: [] };
  const { sites } = reading.config;
  const config = { ...reading.config, sites: sites.map((site) => withUpstreams(site, [])) };
  return { reading: { ...reading, config }, upstreams: sites.map(upstreamsOf) };
}

/** Puts them back. */
export function fromWire({ reading, upstreams }: WireReading): ConfigReading {
  if (reading.kind === "invalid") return reading;
  const sites = reading.config.sites.map((site, at) =>
    withUpstreams(
      site,
      (upstreams[at] ?? []).map((text) => new URL(text)),
    ),
  );
  return { ...reading, config: { ...reading.config, sites } };
}
