import type { HostName } from "../base/index.ts";
import { patternCovers } from "../base/index.ts";
import type { SiteConfig, SiteService } from "../config/index.ts";
import type { Exchange } from "./exchange.ts";
import type { Authority } from "./request-target.ts";
import { answerStatus } from "./status-page.ts";

/** Answers with a Location; the page is for clients that do not follow it. */
export function answerRedirect(exchange: Exchange, status: number, location: string): void {
  answerStatus(exchange, { status, detail: `This page is at ${location}`, headers: ["Location", location] });
}

/** Answers for a site that only points elsewhere. */
export function serveRedirect(exchange: Exchange, service: Extract<SiteService, { kind: "redirect" }>): void {
  const { path, query } = exchange.target;
  // Without its last slash, so that the path of the request follows with its own.
  const location = service.keepPath ? `${service.to.replace(/\/$/, "")}${path}${query}` : service.to;
  answerRedirect(exchange, service.status, location);
}

/** The https binding port that takes a host of this site: a binding for the very name, a wildcard, then any host. */
export function httpsPortOf(site: SiteConfig, host: HostName | undefined): number | undefined {
  let best: { readonly rank: number; readonly port: number } | undefined;
  for (const binding of site.bindings) {
    if (binding.protocol !== "https") continue;
    const pattern = binding.host;
    if (pattern !== undefined && (host === undefined || !patternCovers(pattern, host))) continue;
    const rank = pattern === undefined ? 0 : pattern.startsWith("*.") ? 1 : 2;
    if (best === undefined || rank > best.rank) best = { rank, port: binding.port };
  }
  return best?.port;
}

/** Sends a plain request to the same path over https, on the port that clients see. A method other than GET and HEAD is kept (308). */
export function redirectToHttps(exchange: Exchange, host: Authority, publicPort: number): void {
  const { method } = exchange.request;
  const { path, query } = exchange.target;
  const port = publicPort === 443 ? "" : `:${publicPort}`;
  answerRedirect(exchange, method === "GET" || method === "HEAD" ? 301 : 308, `https://${host.text}${port}${path}${query}`);
}
