import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { ERRORS, FarmError, formatEndpoint, systemCode, toFarmError, type Endpoint, type Log, type Secret } from "../base/index.ts";
import type { Caller } from "./caller.ts";
import type { Dispatch } from "./dispatch.ts";
import { matchRoute, readInput } from "./http-input.ts";
import { openApiDocument } from "./openapi.ts";
import { createTokenCheck, type TokenCheck } from "./token.ts";

/** What the admin API is served with. */
export interface AdminSettings {
  readonly dispatch: Dispatch;
  readonly token: Secret;
  /** Port 0 = any free one. */
  readonly listen: Endpoint;
  readonly version: string;
  readonly log: Log;
  /** Host names of the Host header that are taken besides the loopback's. */
  readonly names?: readonly string[];
}

/** The admin API over HTTP. */
export interface AdminServer {
  readonly url: string;
  close(): Promise<void>;
}

const LOOPBACK = ["127.0.0.1", "localhost", "[::1]"];
const MAX_CONNECTIONS = 256;

/** Serves the routes on one address, for callers with the token. @throws ADMIN_LISTEN_FAILED */
export async function startAdminServer(settings: AdminSettings): Promise<AdminServer> {
  const { listen, log, names = [] } = settings;
  const context: Context = {
    ...settings,
    check: createTokenCheck(settings.token),
    allowed: new Set([...LOOPBACK, ...names.map((name) => name.toLowerCase())]),
    openapi: JSON.stringify(openApiDocument(settings.version)),
  };
  const server = createServer({ requestTimeout: 30_000, headersTimeout: 10_000, keepAliveTimeout: 5_000 }, (request, response) => {
    handle(context, request, response).catch((error: unknown) => {
      log.error("an admin request failed", { problem: toFarmError(error).message });
      response.destroy();
    });
  });
  server.maxConnections = MAX_CONNECTIONS;
  await startListening(server, listen);
  const { port } = server.address() as AddressInfo; // it listens on TCP
  return {
    url: `http://${formatEndpoint({ address: listen.address, port })}`,
    async close() {
      server.close();
      server.closeAllConnections();
      if (server.listening) await once(server, "close");
    },
  };
}

async function startListening(server: Server, { address, port }: Endpoint): Promise<void> {
  try {
    server.listen({ host: address, port });
    await once(server, "listening");
  } catch (error) {
    const where = `${address.includes(":") ? `[${address}]` : address}:${port}`;
    const why =
      systemCode(error) === "EADDRINUSE" ? "another process uses it; is the farm running already?" : (systemCode(error) ?? String(error));
    throw new FarmError("ADMIN_LISTEN_FAILED", `the admin API cannot listen on ${where}: ${why}`, {
      facts: { address, port },
      cause: error,
    });
  }
}

interface Context extends AdminSettings {
  readonly check: TokenCheck;
  readonly allowed: ReadonlySet<string>;
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
  checkHost(context.allowed, request.headers.host);
  checkToken(context.check, request.headers.authorization);
  const caller: Caller = { name: "local", role: "admin", by: "local" };
  const { pathname, searchParams } = parseTarget(request.url ?? "/");
  if (pathname === "/openapi.json" && request.method === "GET") return sendText(response, 200, context.openapi);
  const matched = matchRoute(request.method ?? "GET", pathname);
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
function checkHost(allowed: ReadonlySet<string>, host: string | undefined): void {
  const name = host?.replace(/:\d{1,5}$/, "").toLowerCase();
  if (name !== undefined && allowed.has(name)) return;
  throw new FarmError(
    "ADMIN_HOST_REFUSED",
    `the Host header ${JSON.stringify((host ?? "").slice(0, 200))} names no address of the admin API`,
  );
}

function checkToken(check: TokenCheck, authorization: string | undefined): void {
  const presented = /^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1];
  if (check(presented)) return;
  throw new FarmError(
    "ADMIN_UNAUTHORIZED",
    presented === undefined ? "the request carries no token" : "the request's token is not the farm's",
  );
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
  if (error.code === "ADMIN_UNAUTHORIZED") response.setHeader("www-authenticate", 'Bearer realm="certfarm"');
  const { allowed } = error.facts;
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
