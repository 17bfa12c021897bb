import type { DraftParts, Placed } from "./draft-parts.ts";
import type { Report } from "./report.ts";
import type { SiteDraft } from "./schema.ts";

const SERVICES = ["content", "proxy", "redirect"] as const;
const YEAR_MS = 31_536_000_000;

/** Checks of each site by itself. */
export function checkSites(parts: DraftParts, report: Report): void {
  checkNames(parts.sites, "sites", report);
  for (const site of parts.sites) checkSite(site, report);
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
