import { patternCovers } from "../base/index.ts";
import type { Limits, SiteConfig, SiteIndex } from "../config/index.ts";
import { ContentView } from "./content-view.ts";
import type { FlatHeaders } from "./exchange.ts";
import { parseAuthority, type Authority } from "./request-target.ts";
import type { ConnectionFacts, ContentTree, TlsDemands, WebSources } from "./types.ts";

/** Where the requests of one connection for one Host go; found once, and again when configuration or host change. */
export type Route =
  | {
      readonly kind: "site";
      readonly site: SiteConfig;
      readonly host: Authority;
      readonly extra: FlatHeaders;
      view: ContentView | undefined;
    }
  /** No valid host name. */
  | { readonly kind: "malformed"; readonly extra: FlatHeaders }
  /** 421: the connection's certificate does not cover this host, or its handshake was made by weaker rules than the host's. */
  | { readonly kind: "misdirected"; readonly because: "certificate" | "handshake"; readonly host: Authority; readonly extra: FlatHeaders }
  | { readonly kind: "absent"; readonly host: Authority; readonly extra: FlatHeaders };

interface Remembered {
  readonly sites: SiteIndex;
  readonly limits: Limits;
  readonly host: string;
  readonly route: Route;
}

/** Finds routes, and remembers the last one of every live connection. */
export class Router {
  readonly #sources: WebSources;
  readonly #last = new WeakMap<ConnectionFacts, Remembered>();

  constructor(sources: WebSources) {
    this.#sources = sources;
  }

  find(connection: ConnectionFacts, host: string): Route {
    const sites = this.#sources.sites();
    const limits = this.#sources.limits();
    const last = this.#last.get(connection);
    if (last !== undefined && last.host === host && last.sites === sites && last.limits === limits) return last.route;
    const demands = connection.protocol === "https" ? this.#demandsOn(connection, host) : undefined;
    const route = this.#look(connection, host, { sites, demands });
    // Authorities of client certificates change without a revision: their sites are looked at on every request.
    if (demands?.clientRule === undefined) this.#last.set(connection, { sites, limits, host, route });
    return route;
  }

  /** The view of a site's content as it is now; undefined when there is none on this node yet. */
  view(route: Extract<Route, { kind: "site" }>, folder: string, index: readonly string[]): ContentView | undefined {
    const tree: ContentTree | undefined = this.#sources.content(folder);
    if (tree === undefined) return undefined;
    if (route.view === undefined || route.view.tree !== tree) route.view = this.#viewOf(tree, index);
    return route.view;
  }

  readonly #views = new WeakMap<ContentTree, Map<string, ContentView>>();

  #viewOf(tree: ContentTree, index: readonly string[]): ContentView {
    const key = index.join("/");
    const views = this.#views.get(tree) ?? new Map<string, ContentView>();
    const view = views.get(key) ?? new ContentView(tree, index);
    views.set(key, view);
    this.#views.set(tree, views);
    return view;
  }

  #demandsOn(connection: ConnectionFacts, host: string): TlsDemands {
    return this.#sources.tlsDemands(connection.bindingPort, parseAuthority(host)?.name);
  }

  #look(connection: ConnectionFacts, host: string, by: { readonly sites: SiteIndex; readonly demands: TlsDemands | undefined }): Route {
    const node = this.#nodeHeader();
    const authority = parseAuthority(host);
    if (authority === undefined) return { kind: "malformed", extra: node };
    const { protocol, bindingPort } = connection;
    const misdirected = { kind: "misdirected", host: authority, extra: node } as const;
    if (protocol === "https" && !isCovered(connection, authority)) return { ...misdirected, because: "certificate" };
    if (by.demands !== undefined && !meets(connection, by.demands)) return { ...misdirected, because: "handshake" };
    const site = by.sites.find(protocol, bindingPort, authority.name);
    if (site === undefined) return { kind: "absent", host: authority, extra: node };
    return { kind: "site", site, host: authority, extra: [...node, ...hstsHeader(connection, site)], view: undefined };
  }

  #nodeHeader(): FlatHeaders {
    const name = this.#sources.limits().nodeHeader;
    return name === undefined ? [] : [name, this.#sources.node];
  }
}

/** Clients that came by address are not misdirected: they meant this very server. */
function isCovered(connection: ConnectionFacts, host: Authority): boolean {
  const names = connection.certificateNames;
  const { name } = host;
  return names === undefined || name === undefined || names.some((pattern) => patternCovers(pattern, name));
}

/**
 * Whether a connection's handshake was as strict as the site wants it. One certificate may cover two sites, and HTTP/2 clients then reuse
 * the connection of one for the other (RFC 9113 section 9.1.1): without this a site's client certificates could be passed by.
 */
function meets(connection: ConnectionFacts, demands: TlsDemands): boolean {
  if (demands.clientRule !== undefined && connection.clientRule !== demands.clientRule) return false;
  return demands.minVersion !== "1.3" || connection.tlsVersion === "1.3";
}

function hstsHeader(connection: ConnectionFacts, site: SiteConfig): FlatHeaders {
  // RFC 6797 section 7.2: never over plain http.
  if (connection.protocol !== "https" || site.hsts === undefined) return [];
  const { maxAgeS, includeSubDomains, preload } = site.hsts;
  return ["Strict-Transport-Security", `max-age=${maxAgeS}${includeSubDomains ? "; includeSubDomains" : ""}${preload ? "; preload" : ""}`];
}
