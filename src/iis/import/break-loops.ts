import { parseHostName, wildcardOf } from "../../base/index.ts";
import type { ImportNotes } from "./note.ts";
import type { WrittenSite } from "./write-yaml.ts";

/** A site with what it does when it cannot redirect. */
export interface PlannedSite {
  readonly site: WrittenSite;
  readonly folder: string;
  /** The line of the site in applicationHost.config. */
  readonly line: number;
}

const MAX_HOPS = 20;

/**
 * farm.yaml refuses redirects that lead back to where they come from. In IIS one `httpRedirect` to `https://` on a site that has http and https
 * does that too; here it is what `redirectToHttps` is for. Other loops become sites of files.
 */
export function breakLoops(planned: readonly PlannedSite[], notes: ImportNotes): readonly WrittenSite[] {
  const places = new Map<string, number>();
  for (const [index, { site }] of planned.entries())
    for (const { protocol, port, host = "*" } of site.bindings) places.set(`${protocol} ${port} ${host}`, index);
  const sites = planned.map(({ site }) => site);
  for (const [index, { folder, line }] of planned.entries()) {
    const site = sites[index];
    if (site?.service.kind !== "redirect" || !isLoop(index, sites, places)) continue;
    const has = (protocol: string): boolean => site.bindings.some((binding) => binding.protocol === protocol);
    const toHttps = /^https:/i.test(site.service.to) && has("http") && has("https");
    const end = toHttps ? "here `redirectToHttps` does it" : `here it serves content/${folder}`;
    notes.add(line, `${site.name}: the redirect to ${site.service.to} leads back to the site; ${end}`);
    sites[index] = {
      ...site,
      service: { kind: "content", folder, index: ["index.html"] },
      redirectToHttps: site.redirectToHttps || toHttps,
    };
  }
  return sites;
}

function isLoop(start: number, sites: readonly WrittenSite[], places: ReadonlyMap<string, number>): boolean {
  const seen = new Set([start]);
  let at = start;
  for (let hop = 0; hop <= MAX_HOPS; hop += 1) {
    const service = sites[at]?.service;
    if (service?.kind !== "redirect") return false;
    const next = siteAt(new URL(service.to), places);
    if (next === undefined) return false;
    if (seen.has(next)) return true;
    seen.add(next);
    at = next;
  }
  return false;
}

/** The site that answers a URL: by exact host, then by wildcard, then any host. */
function siteAt(url: URL, places: ReadonlyMap<string, number>): number | undefined {
  const host = parseHostName(url.hostname);
  if (host === undefined) return undefined;
  const protocol = url.protocol === "http:" ? "http" : "https";
  const place = `${protocol} ${url.port === "" ? (protocol === "http" ? 80 : 443) : url.port}`;
  return places.get(`${place} ${host}`) ?? places.get(`${place} ${wildcardOf(host) ?? ""}`) ?? places.get(`${place} *`);
}
