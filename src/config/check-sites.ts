import type { Binding } from "../bindings/index.ts";
import { formatBinding } from "./binding-url.ts";
import type { DraftParts, Placed } from "./draft-parts.ts";
import { addressesOf, isEveryAddress } from "./resolve.ts";
import type { Report } from "./report.ts";
import type { SiteDraft } from "./schema.ts";

const SERVICES = ["content", "proxy", "redirect"] as const;
const YEAR_MS = 31_536_000_000;

/** Checks of sites and bindings, each by itself and against each other. */
export function checkSites(parts: DraftParts, report: Report): void {
  checkNames(parts.sites, "sites", report);
  for (const site of parts.sites) checkSite(site, report);
  checkBindings(parts.sites, report);
  checkAddresses(parts, report);
}

/** Names differ by more than case, for they become file names. */
export function checkNames(list: readonly Placed<{ readonly name: string }>[], key: string, report: Report): void {
  const first = new Map<string, Placed<{ readonly name: string }>>();
  for (const each of list) {
    const lower = each.value.name.toLowerCase();
    const other = first.get(lower);
    if (other === undefined) first.set(lower, each);
    else report.error([key, each.index, "name"], `the name ${each.value.name} is taken by ${key}[${other.index}]`);
  }
}

function checkSite({ value: site, index }: Placed<SiteDraft>, report: Report): void {
  const path = ["sites", index] as const;
  const services = SERVICES.filter((key) => site[key] !== undefined);
  if (services.length === 0) report.error(path, `site ${site.name} does nothing: give it one of content, proxy or redirect`);
  const [one, other] = services;
  if (one !== undefined && other !== undefined)
    report.error([...path, other], `site ${site.name} has ${one} and ${other}: keep one of them`);
  const https = site.bindings.some((binding) => binding.protocol === "https");
  const http = site.bindings.some((binding) => binding.protocol === "http");
  if (!https) report.warning(path, `site ${site.name} has no https binding`);
  if (site.redirectToHttps && !https) report.warning([...path, "redirectToHttps"], `site ${site.name} has no https binding to redirect to`);
  else if (site.redirectToHttps && !http)
    report.warning([...path, "redirectToHttps"], `site ${site.name} has no http binding to redirect from`);
  checkHsts(site, path, https, report);
}

function checkHsts(site: SiteDraft, path: readonly [string, number], https: boolean, report: Report): void {
  if (site.hsts === undefined) return;
  if (!https) report.error([...path, "hsts"], `hsts is sent on https only, and site ${site.name} has no https binding`);
  if (site.hsts.preload && (!site.hsts.includeSubDomains || site.hsts.maxAgeMs < YEAR_MS)) {
    report.warning([...path, "hsts"], "preload lists take only includeSubDomains: true and maxAge of 1y or more");
  }
}

/** A binding, the site it belongs to, and where it is written. */
interface Seen {
  readonly binding: Binding;
  readonly site: string;
  readonly path: readonly [string, number, string, number];
}

function* everyBinding(sites: readonly Placed<SiteDraft>[]): Generator<Seen> {
  for (const { value: site, index } of sites) {
    for (const [position, binding] of site.bindings.entries())
      yield { binding, site: site.name, path: ["sites", index, "bindings", position] };
  }
}

/** Each map keeps the first binding that has a key, so the work is linear. */
function checkBindings(sites: readonly Placed<SiteDraft>[], report: Report): void {
  const byName = new Map<string, Seen>();
  const byPort = new Map<number, Seen>();
  const byRow = new Map<string, Seen>();
  for (const seen of everyBinding(sites)) {
    checkProtocol(seen, byPort, report);
    checkTaken(seen, byName, report);
    checkRow(seen, byRow, report);
    const { binding } = seen;
    if (binding.protocol === "https" && !binding.sni && binding.certificate === "central") {
      report.warning(seen.path, "central certificates are chosen by SNI: clients without SNI get none here, whatever `sni` says");
    }
  }
  checkShadows(sites, byRow, report);
}

function checkProtocol(seen: Seen, byPort: Map<number, Seen>, report: Report): void {
  const { port, protocol } = seen.binding;
  const other = byPort.get(port);
  if (other === undefined) byPort.set(port, seen);
  else if (other.binding.protocol !== protocol) {
    report.error(seen.path, `port ${port} is ${other.binding.protocol} in site ${other.site} and cannot be ${protocol} too`);
  }
}

/** A request shows its port and host; addresses do not tell sites apart. */
function checkTaken(seen: Seen, byName: Map<string, Seen>, report: Report): void {
  const { binding, site } = seen;
  const key = `${binding.port} ${binding.host ?? "*"}`;
  const other = byName.get(key);
  if (other === undefined) {
    byName.set(key, seen);
    return;
  }
  if (other.site !== site || other.path[1] !== seen.path[1]) {
    report.error(seen.path, `${formatBinding(binding)} is bound by site ${other.site} already: port and host must be of one site`);
  } else if (other.binding.address === binding.address && other.binding.protocol === binding.protocol) {
    report.error(seen.path, `${formatBinding(binding)} is written twice in site ${site}`);
  }
}

/** Bindings that make one row of the binding table must agree on its certificate. */
function checkRow(seen: Seen, byRow: Map<string, Seen>, report: Report): void {
  const { binding } = seen;
  if (binding.protocol !== "https" || binding.certificate === "central") return;
  const key = binding.sni ? `host ${binding.host ?? ""}:${binding.port}` : `ip ${binding.address}:${binding.port}`;
  const other = byRow.get(key);
  if (other === undefined) byRow.set(key, seen);
  else if (other.binding.certificate !== "central" && other.binding.certificate.file !== binding.certificate.file) {
    report.error(
      seen.path,
      `one row of the binding table (${key.replace("ip *", "any address ")}) cannot name ${binding.certificate.file} and, for site ${other.site}, ${other.binding.certificate.file}`,
    );
  }
}

/** An ip:port row is looked at before every name: whoever dials that address gets its certificate. */
function checkShadows(sites: readonly Placed<SiteDraft>[], byRow: ReadonlyMap<string, Seen>, report: Report): void {
  const shadows = [...byRow.values()].filter(({ binding }) => !binding.sni && binding.address !== "*");
  if (shadows.length === 0) return;
  const byPort = new Map<number, Seen[]>();
  for (const seen of everyBinding(sites)) {
    if (seen.binding.protocol !== "https" || !seen.binding.sni) continue;
    const list = byPort.get(seen.binding.port) ?? [];
    byPort.set(seen.binding.port, list);
    list.push(seen);
  }
  for (const shadow of shadows) {
    const { address, port } = shadow.binding;
    const hidden = (byPort.get(port) ?? []).filter((each) => each.binding.address === "*" || each.binding.address === address);
    const first = hidden[0];
    if (first === undefined) continue;
    const more = hidden.length === 1 ? "" : ` and ${hidden.length - 1} more`;
    report.warning(
      shadow.path,
      `on ${address} port ${port} this certificate is served for every name, also for ${formatBinding(first.binding)}${more}`,
    );
  }
}

/** A binding to an address that no node has is served by nobody. */
function checkAddresses(parts: DraftParts, report: Report): void {
  if (!parts.whole) return;
  const addresses = new Set(parts.nodes.flatMap(({ value }) => addressesOf(value)));
  if ([...addresses].some(isEveryAddress)) return;
  for (const { binding, path } of everyBinding(parts.sites)) {
    if (binding.address !== "*" && !addresses.has(binding.address)) report.warning(path, `no node has the address ${binding.address}`);
  }
}
