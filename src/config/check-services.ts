import { parseHostName, parseIpAddress } from "../base/index.ts";
import { DEFAULT_PORT } from "./binding-url.ts";
import type { DraftParts, Placed } from "./draft-parts.ts";
import { addressesOf } from "./resolve.ts";
import type { Report } from "./report.ts";
import type { SiteDraft } from "./schema.ts";
import { indexBindings, type BindingIndex } from "./site-index.ts";

/** More hops than this are a loop for a browser too. */
const MAX_HOPS = 20;

type Indexed = BindingIndex<Placed<SiteDraft>>;

/** Checks of what sites do with requests: redirects that lead back, proxies that dial the farm itself. */
export function checkServices(parts: DraftParts, report: Report): void {
  const index = indexBindings(parts.sites.map((each) => ({ owner: each, bindings: each.value.bindings })));
  const addresses = new Set<string>(
    [...parts.nodes.map(({ value }) => value), ...(parts.balancer === undefined ? [] : [parts.balancer])].flatMap((each) =>
      addressesOf(each),
    ),
  );
  const ports = listenedPorts(parts);
  for (const site of parts.sites) {
    checkRedirect(site, index, report);
    checkProxy(site, { index, addresses, ports }, report);
  }
}

function listenedPorts(parts: DraftParts): ReadonlySet<number> {
  const ports = new Set<number>();
  for (const { value } of parts.sites) for (const binding of value.bindings) ports.add(binding.port);
  for (const each of [...parts.nodes.map(({ value }) => value), parts.balancer])
    for (const real of each?.ports?.values() ?? []) ports.add(real);
  return ports;
}

/** Where a URL would arrive in this farm. */
function siteAt(url: URL, index: Indexed): Placed<SiteDraft> | undefined {
  const protocol = url.protocol === "http:" ? "http" : "https";
  const host = parseHostName(url.hostname);
  return host === undefined ? undefined : index(protocol, portOf(url), host);
}

const portOf = (url: URL): number => (url.port === "" ? DEFAULT_PORT[url.protocol === "http:" ? "http" : "https"] : Number(url.port));

function checkRedirect(site: Placed<SiteDraft>, index: Indexed, report: Report): void {
  const { redirect } = site.value;
  if (redirect === undefined) return;
  const path = ["sites", site.index, "redirect"];
  if (redirect.keepPath && /[?#]/.test(redirect.to))
    report.error(path, "a target with a query or fragment cannot take the request's path: write keepPath: false");
  const way: string[] = [];
  let url: string | undefined = redirect.to;
  while (url !== undefined && way.length < MAX_HOPS) {
    const hop = new URL(url);
    const next: Placed<SiteDraft> | undefined = siteAt(hop, index);
    if (next === undefined) return;
    way.push(next.value.name);
    if (next.value.redirect === undefined) return;
    if (next.index === site.index || way.indexOf(next.value.name) < way.length - 1) {
      report.error(path, `the redirect never ends: ${redirect.to} is answered by ${way.map((each) => `site ${each}`).join(", then ")}`);
      return;
    }
    url = next.value.redirect.to;
  }
}

function checkProxy(
  site: Placed<SiteDraft>,
  farm: { readonly index: Indexed; readonly addresses: ReadonlySet<string>; readonly ports: ReadonlySet<number> },
  report: Report,
): void {
  const { proxy } = site.value;
  if (proxy === undefined) return;
  const seen = new Set<string>();
  for (const url of proxy.upstreams) {
    const path = ["sites", site.index, "proxy"];
    if (seen.has(url.origin)) report.warning(path, `the upstream ${url.origin} is named twice`);
    seen.add(url.origin);
    const address = parseIpAddress(url.hostname);
    const own =
      address === undefined ? siteAt(url, farm.index)?.index === site.index : farm.addresses.has(address) && farm.ports.has(portOf(url));
    if (own) report.warning(path, `the upstream ${url.origin} is this farm itself: requests may go round in circles`);
  }
}
