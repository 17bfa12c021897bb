import { request, type IncomingMessage } from "node:http";
import { request as requestTls } from "node:https";
import { createInterface } from "node:readline";

import { z } from "zod";

import { ERRORS, FarmError, systemCode, type ErrorCode, type Secret } from "../base/index.ts";
import type { Transport, TransportContext } from "./create-client.ts";
import type { Route } from "./route.ts";
import { ROUTES } from "./routes.ts";
import { clientOptions, tlsFailure, type ClientIdentity } from "./server-trust.ts";

/** Where the admin API is, and what the caller logs in with: a token, or a certificate where it speaks TLS. */
export interface HttpTransportSettings {
  readonly url: string;
  readonly token?: Secret;
  readonly identity?: ClientIdentity;
}

const MAX_ANSWER_BYTES = 256 << 20;
/** Without an octet for so long the admin API is taken for dead. Streams send one a change; waits have their own deadline. */
const IDLE_MS = 3_700_000;
const CONNECT_MS = 10_000;
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

const errorShape = z.object({
  code: z.string(),
  message: z.string(),
  facts: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.array(z.string())])),
});

/** Calls over HTTP or HTTPS. @throws ADMIN_NOT_RUNNING when nothing answers, ADMIN_SERVER_UNTRUSTED, CANCELLED, and what the route throws */
export function httpTransport(settings: HttpTransportSettings): Transport {
  return async (name, input, context) => {
    const route: Route = ROUTES[name];
    requireSecrecy(route, settings.url);
    const { path, body } = place(route, plain(input));
    const response = await send(settings, { method: route.method, path, body }, context.signal);
    return readAnswer(response, route, context);
  };
}

/** Certificates, keys and passwords go to this machine, or by TLS. */
function requireSecrecy({ hidden, path }: Route, url: string): void {
  const { protocol, hostname } = new URL(url);
  if (hidden.length === 0 || protocol === "https:" || LOOPBACK.test(hostname)) return;
  throw new FarmError("SECRETS_WOULD_TRAVEL", `${path} carries secrets, and ${url} is neither https nor this machine`, { facts: { url } });
}

const plain = (input: unknown): Record<string, unknown> => ({ ...(typeof input === "object" ? input : {}) });

/** Input as path, query and body. */
function place(route: Route, input: Record<string, unknown>): { readonly path: string; readonly body: string | undefined } {
  const left = new Map(Object.entries(input).filter(([, value]) => value !== undefined));
  const path = route.path.replaceAll(/\{(\w+)\}/g, (_part, key: string) => {
    const value = left.get(key);
    left.delete(key);
    return encodeURIComponent(typeof value === "string" || typeof value === "number" ? value : "");
  });
  if (route.method !== "GET" && route.method !== "DELETE") return { path, body: JSON.stringify(Object.fromEntries(left)) };
  const query = new URLSearchParams([...left].map(([key, value]): [string, string] => [key, String(value)])).toString();
  return { path: query === "" ? path : `${path}?${query}`, body: undefined };
}

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly body: string | undefined;
}

function send(settings: HttpTransportSettings, { method, path, body }: Sent, signal: AbortSignal): Promise<IncomingMessage> {
  const { url, token, identity = {} } = settings;
  return new Promise((resolve, reject) => {
    const headers = {
      ...(token === undefined ? {} : { authorization: `Bearer ${token.reveal()}` }),
      accept: "application/json, application/x-ndjson",
      ...(body === undefined ? {} : { "content-type": "application/json", "content-length": Buffer.byteLength(body) }),
    };
    const target = new URL(path, url);
    const options = { method, headers, signal, agent: false, timeout: IDLE_MS } as const;
    const sent =
      target.protocol === "https:"
        ? requestTls(target, { ...options, ...clientOptions(identity) }, resolve)
        : request(target, options, resolve);
    sent.on("timeout", () => sent.destroy(new FarmError("ADMIN_NOT_RUNNING", `${url} does not answer`)));
    sent.on("error", (error) => reject(connectionError(error, settings, signal)));
    sent.on("socket", (socket) => {
      if (!socket.connecting) return;
      const timer = setTimeout(() => sent.destroy(new FarmError("ADMIN_NOT_RUNNING", `${url} does not answer`)), CONNECT_MS);
      for (const event of ["connect", "close"]) socket.once(event, () => clearTimeout(timer));
    });
    sent.end(body);
  });
}

function connectionError(error: unknown, { url, identity }: HttpTransportSettings, signal: AbortSignal): FarmError {
  if (error instanceof FarmError) return error;
  if (signal.aborted) return new FarmError("CANCELLED", "the call was cancelled", { cause: error });
  const untrusted = tlsFailure(error, url, identity?.authorityPem !== undefined);
  if (untrusted !== undefined) return untrusted;
  const code = systemCode(error);
  const why = code === "ECONNREFUSED" ? "nothing listens there" : (code ?? String(error));
  return new FarmError("ADMIN_NOT_RUNNING", `${url} does not answer: ${why}`, { facts: { url }, cause: error });
}

async function readAnswer(response: IncomingMessage, route: Route, context: TransportContext): Promise<unknown> {
  try {
    if (response.statusCode !== 200) throw errorFrom(parseJson(await readText(response)), response.statusCode ?? 0);
    if (route.progress === undefined) return parseJson(await readText(response));
    return await readLines(response, context);
  } catch (error) {
    if (error instanceof FarmError) throw error;
    if (context.signal.aborted) throw new FarmError("CANCELLED", "the call was cancelled", { cause: error });
    throw new FarmError("ADMIN_NOT_RUNNING", `the admin API went away in the middle of its answer: ${systemCode(error) ?? String(error)}`, {
      cause: error,
    });
  }
}

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_ANSWER_BYTES) throw unusable("it is too large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

async function readLines(response: IncomingMessage, { onProgress }: TransportContext): Promise<unknown> {
  for await (const text of createInterface({ input: response, crlfDelay: Infinity })) {
    const line = plain(parseJson(text));
    if ("progress" in line) onProgress(line["progress"]);
    else if ("result" in line) return line["result"];
    else throw errorFrom(line["error"], 500);
  }
  throw unusable("it ended before its result");
}

const unusable = (why: string): FarmError => new FarmError("ADMIN_ANSWER_UNUSABLE", `the admin API's answer cannot be read: ${why}`);

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new FarmError("ADMIN_ANSWER_UNUSABLE", "what answers there is no certfarm admin API: its answer is not JSON", { cause: error });
  }
}

function errorFrom(value: unknown, status: number): FarmError {
  const parsed = errorShape.safeParse(value);
  if (!parsed.success) return unusable(`it has status ${status} and no error of certfarm`);
  const { code, message, facts } = parsed.data;
  return isCode(code) ? new FarmError(code, message, { facts }) : new FarmError("INTERNAL", `${message} (${code})`, { facts });
}

const isCode = (code: string): code is ErrorCode => Object.hasOwn(ERRORS, code);
