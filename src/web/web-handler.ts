import { silentLog } from "../base/index.ts";
import { noAccessLog } from "./access-entry.ts";
import { BodyCache } from "./body-cache.ts";
import { serveContent } from "./content-site.ts";
import { responseOver } from "./detached-response.ts";
import { Exchange, type ExchangeContext } from "./exchange.ts";
import { scanHeaders } from "./header-scan.ts";
import type { Upgrade } from "./forwarding.ts";
import { createProxy, upgradeProtocol, type Proxy } from "./proxy.ts";
import { httpsPortOf, redirectToHttps, serveRedirect } from "./redirect.ts";
import { parseTarget } from "./request-target.ts";
import { Router, type Route } from "./route.ts";
import { answerStatus, type StatusPage } from "./status-page.ts";
import type { ConnectionFacts, WebHandler, WebRequest, WebResponse, WebSources } from "./types.ts";
import type { WebOptions } from "./web-options.ts";

const BAD_TARGET: StatusPage = { status: 400, detail: "The address is not written correctly." };
const BAD_HOST: StatusPage = { status: 400, detail: "The request must name exactly one valid host." };
const NO_CONTENT: StatusPage = {
  status: 503,
  detail: "This site's content has not arrived on this server yet.",
  headers: ["Retry-After", "2"],
};
const FAULT: StatusPage = { status: 500, detail: "This server made a mistake." };
const HTTPS_ONLY: StatusPage = { status: 403, detail: "This site is served over https only." };

type SiteRoute = Extract<Route, { kind: "site" }>;

/** Answers the requests of every site. Sources are asked on every request, so a new configuration holds from the next one on. */
export function createWebHandler(sources: WebSources, options: WebOptions): WebHandler {
  const router = new Router(sources);
  const bodies = new BodyCache();
  const proxy = createProxy(sources, options);
  const context: ExchangeContext = {
    clock: options.clock,
    diagnostics: options.diagnostics ?? silentLog,
    log: () => (sources.limits().accessLog === "off" ? noAccessLog : options.log),
  };
  const dispatch = new Dispatch(sources, router, bodies, proxy);
  const begin = (request: WebRequest, response: WebResponse, connection: ConnectionFacts): Exchange => {
    const scan = scanHeaders(request);
    return new Exchange(context, { request, response, connection, scan, target: { path: request.url ?? "", query: "" } });
  };
  /** A fault while one request is answered ends that request, not the process. */
  const guarded = (exchange: Exchange, answer: () => void): void => {
    try {
      answer();
    } catch (thrown) {
      exchange.reportFault(thrown);
      answerStatus(exchange, FAULT);
    }
  };
  return {
    request(request, response, connection) {
      const exchange = begin(request, response, connection);
      guarded(exchange, () => dispatch.answer(exchange));
    },
    checkContinue(request, response, connection) {
      const exchange = begin(request, response, connection);
      exchange.sendContinue = () => response.writeContinue();
      guarded(exchange, () => dispatch.answer(exchange));
    },
    upgrade(request, socket, head, connection) {
      const exchange = begin(request, responseOver(request, socket), connection);
      guarded(exchange, () => {
        const route = dispatch.route(exchange);
        const protocol = upgradeProtocol(request);
        if (route !== undefined) dispatch.serve(exchange, route, protocol === undefined ? undefined : { socket, head, protocol });
      });
    },
    close: () => proxy.close(),
  };
}

class Dispatch {
  readonly #sources: WebSources;
  readonly #router: Router;
  readonly #bodies: BodyCache;
  readonly #proxy: Proxy;

  // oxlint-disable-next-line max-params -- the four things that answering takes
  constructor(sources: WebSources, router: Router, bodies: BodyCache, proxy: Proxy) {
    this.#sources = sources;
    this.#router = router;
    this.#bodies = bodies;
    this.#proxy = proxy;
  }

  /** Splits the target and finds the route; or answers what cannot be routed, and returns undefined. */
  route(exchange: Exchange): SiteRoute | undefined {
    const target = parseTarget(exchange.request.url ?? "");
    if (target !== undefined) exchange.target = target;
    const { scan } = exchange;
    const host = target?.authority ?? scan.host;
    // RFC 9112 section 3.2: no Host, two of them or an invalid one is a bad request. HTTP/1.0 may go without.
    const route = this.#router.find(exchange.connection, host ?? "");
    exchange.extra = route.extra;
    if (scan.hosts > 1 || route.kind === "malformed") answerStatus(exchange, BAD_HOST);
    else if (target === undefined) answerStatus(exchange, BAD_TARGET);
    else if (route.kind === "misdirected") answerStatus(exchange, misdirected(route));
    else if (route.kind === "absent") answerStatus(exchange, { status: 404, detail: `No site named ${route.host.text} is served here.` });
    else {
      exchange.site = route.site.name;
      return route;
    }
    return undefined;
  }

  answer(exchange: Exchange): void {
    const route = this.route(exchange);
    if (route !== undefined) this.serve(exchange, route, undefined);
  }

  /** An upgrade that the site does not hand on is answered as a request without it (RFC 9110 section 7.8). */
  serve(exchange: Exchange, route: SiteRoute, upgrade: Upgrade | undefined): void {
    const { serve, redirectToHttps: onlyHttps } = route.site;
    if (onlyHttps && exchange.connection.protocol === "http") this.#toHttps(exchange, route);
    else if (serve.kind === "content") this.#content(exchange, route, serve);
    else if (serve.kind === "redirect") serveRedirect(exchange, serve);
    else this.#proxy.forward(exchange, { host: route.host, service: serve, ...(upgrade === undefined ? {} : { upgrade }) });
  }

  #content(exchange: Exchange, route: SiteRoute, serve: { readonly folder: string; readonly index: readonly string[] }): void {
    const view = this.#router.view(route, serve.folder, serve.index);
    if (view === undefined) answerStatus(exchange, NO_CONTENT);
    else serveContent(exchange, view, this.#bodies);
  }

  /** Only plain requests come here, and they leave for https: no loop is possible. */
  #toHttps(exchange: Exchange, route: SiteRoute): void {
    const bindingPort = httpsPortOf(route.site, route.host.name);
    if (bindingPort === undefined) answerStatus(exchange, HTTPS_ONLY);
    else redirectToHttps(exchange, route.host, this.#sources.publicHttpsPort(bindingPort));
  }
}

function misdirected({ host, because }: Extract<Route, { kind: "misdirected" }>): StatusPage {
  const why =
    because === "certificate" ? `its certificate does not cover ${host.text}` : `its handshake does not meet the rules of ${host.text}`;
  return { status: 421, detail: `This connection was opened for another name: ${why}. Open a new connection for ${host.text}.` };
}
