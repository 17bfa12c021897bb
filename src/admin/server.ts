import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { TLSSocket } from "node:tls";

import { ERRORS, FarmError, toFarmError, type Clock, type Endpoint, type Log } from "../base/index.ts";
import { peerOf, type Signing } from "../identity/index.ts";
import { notLoggedIn, requireRole, type Caller } from "./caller.ts";
import type { Dispatch } from "./dispatch.ts";
import { isKnownHost } from "./host-header.ts";
import { matchRoute, readInput, type Matched } from "./http-input.ts";
import { listen, type Listener, type ListenerTls } from "./listener.ts";
import type { LogIn } from "./log-in.ts";
import { openApiDocument } from "./openapi.ts";

/** What the admin API is served with. */
export interface AdminSettings {
  readonly dispatch: Dispatch;
  readonly logIn: LogIn;
  /** Port 0 = any free one. */
  readonly listen: Endpoint;
  /** With it the API speaks HTTPS only, and may be reached from other machines. */
  readonly tls?: Signing & ListenerTls;
  readonly version: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Host names of the Host header that are taken besides the loopback's and, with TLS, IP addresses. */
  readonly names?: readonly string[];
}

/** The admin API over HTTP or HTTPS. */
export type AdminServer = Listener;

/** Serves the routes on one address, for callers who log in. @throws ADMIN_LISTEN_FAILED, ADMIN_IDENTITY_NEEDED */
export async function startAdminServer(settings: AdminSettings): Promise<AdminServer> {
  const { log, tls, listen: where } = settings;
  if (tls === undefined && !isLoopback(where)) {
    throw new FarmError("ADMIN_IDENTITY_NEEDED", `the admin API cannot listen on ${where.address} without an identity`);
  }
  const context: Context = { ...settings, openapi: JSON.stringify(openApiDocument(settings.version)) };
  return listen(
    (request, response) => {
      handle(context, request, response).catch((error: unknown) => {
        log.error("an admin request failed", { problem: toFarmError(error).message });
        response.destroy();
      });
    },
    where,
    tls,
  );
}

const isLoopback = ({ address }: Endpoint): boolean => address === "::1" || address.startsWith("127.");

interface Context extends AdminSettings {
  readonly openapi: string;
}

async function handle(context: Context, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  response.setHeader("cache-control", "no-store");
  response.setHeader("x-content-type-options", "nosniff");
  try {
    await answer(context, request, response, gone.signal);
  } catch (error) {
    if (gone.signal.aborted) return;
    if (response.headersSent) throw error;
    sendError(request, response, toFarmError(error), context.log);
  }
}

async function answer(context: Context, request: IncomingMessage, response: ServerResponse, signal: AbortSignal): Promise<void> {
  checkHost(context, request.headers.host);
  const caller = await callerOf(context, request);
  const { pathname, searchParams } = parseTarget(request.url ?? "/");
  if (pathname === "/openapi.json" && request.method === "GET") {
    requireRole({ role: "viewer", method: "GET", path: pathname }, caller);
    return sendText(response, 200, context.openapi);
  }
  const matched = matchFor(caller, request.method ?? "GET", pathname);
  const input = await readInput(request, matched, searchParams);
  if (matched.route.progress === undefined) {
    const result = await context.dispatch(matched.name, input, { caller, signal, onProgress: () => Promise.resolve() });
    return sendText(response, 200, JSON.stringify(result));
  }
  const lines = createLines(response, signal);
  try {
    const result = await context.dispatch(matched.name, input, { caller, signal, onProgress: (progress) => lines.write({ progress }) });
    await lines.write({ result });
  } catch (error) {
    if (!response.headersSent) throw error;
    await lines.write({ error: publicError(toFarmError(error), context.log) });
  }
  response.end();
}

/** A page of another site may resolve its own name to this machine (DNS rebinding); its requests carry that name. */
function checkHost({ names = [], tls }: Context, host: string | undefined): void {
  if (isKnownHost(host, { names, addresses: tls !== undefined })) return;
  throw new FarmError(
    "ADMIN_HOST_REFUSED",
    `the Host header ${JSON.stringify((host ?? "").slice(0, 200))} names no address of the admin API`,
  );
}

function callerOf({ logIn, tls, clock }: Context, { socket, headers }: IncomingMessage): Promise<Caller> {
  const peer = tls !== undefined && socket instanceof TLSSocket ? peerOf(socket, { signing: tls, clock }) : undefined;
  return logIn({ authorization: headers.authorization, peer, address: socket.remoteAddress ?? "", isLocal: tls === undefined });
}

/** Whoever has shown nothing is not told what there is. */
function matchFor(caller: Caller, method: string, path: string): Matched {
  try {
    const matched = matchRoute(method, path);
    requireRole(matched.route, caller);
    return matched;
  } catch (error) {
    if (caller.role === "newcomer") throw notLoggedIn();
    throw error;
  }
}

function parseTarget(target: string): URL {
  // A target with a scheme or two slashes is no path here.
  const url =
    target.startsWith("/") && !target.startsWith("//") && URL.canParse(target, "http://admin")
      ? new URL(target, "http://admin")
      : undefined;
  if (url === undefined) throw new FarmError("ADMIN_ROUTE_ABSENT", "the request's target is not a path");
  return url;
}

function createLines(response: ServerResponse, signal: AbortSignal): { write(line: unknown): Promise<void> } {
  return {
    async write(line) {
      if (signal.aborted) throw new FarmError("CANCELLED", "the caller went away");
      if (!response.headersSent) response.writeHead(200, { "content-type": "application/x-ndjson" });
      if (!response.write(`${JSON.stringify(line)}\n`)) await once(response, "drain", { signal });
    },
  };
}

function sendText(response: ServerResponse, status: number, json: string): void {
  response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(json) });
  response.end(json);
}

function sendError(request: IncomingMessage, response: ServerResponse, error: FarmError, log: Log): void {
  if (ERRORS[error.code].status === 401) response.setHeader("www-authenticate", 'Bearer realm="certfarm"');
  const { allowed, retryAfterSeconds } = error.facts;
  if (typeof retryAfterSeconds === "number") response.setHeader("retry-after", retryAfterSeconds);
  if (error.code === "ADMIN_METHOD_WRONG" && Array.isArray(allowed)) response.setHeader("allow", allowed.join(", "));
  // What is left of a body is not read: the connection ends instead.
  if (!request.complete) response.setHeader("connection", "close");
  sendText(response, ERRORS[error.code].status, JSON.stringify(publicError(error, log)));
}

/** A fault of certfarm itself may carry anything in its message: it goes to the log, not to the caller. */
function publicError(error: FarmError, log: Log): ReturnType<FarmError["toJSON"]> {
  if (error.code !== "INTERNAL") return error.toJSON();
  log.error("an admin request met a fault", {
    problem: error.message,
    stack: error.cause instanceof Error ? error.cause.stack : undefined,
  });
  return { ...error.toJSON(), message: "certfarm itself failed at this request; the log of the admin API says more", facts: {} };
}
