import { createHash, X509Certificate } from "node:crypto";
import { request, type IncomingMessage } from "node:http";
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";

import { ERRORS, FarmError, systemCode, toFarmError, type Clock, type ErrorCode, type Facts } from "../base/index.ts";
import type { AskAuthority, IssuedIdentity } from "./identity-keeper.ts";
import { issuedShape, JOIN_PATH, RENEW_PATH } from "./join-shapes.ts";
import type { JoinToken } from "./join-token.ts";
import { clientTls, type TlsParts } from "./tls.ts";
import { isIssuedBy, verifyIdentity } from "./verify-identity.ts";

const MAX_ANSWER = 256 * 1024;
const TIMEOUT_MS = 30_000;

/** Where an admin API is reached over TLS. @throws USAGE */
export function adminAddress(url: string): { readonly host: string; readonly port: number } {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol !== "https:" || parsed.username !== "" || parsed.pathname !== "/") {
    throw new FarmError(
      "USAGE",
      `${JSON.stringify(url.slice(0, 200))} is not the address of an admin API over TLS, e.g. https://10.0.0.9:8499`,
    );
  }
  return { host: parsed.hostname.replace(/^\[|\]$/g, ""), port: parsed.port === "" ? 443 : Number(parsed.port) };
}

/**
 * Calls the admin API of the farm that a token names: nothing is sent before the server has shown an admin's identity, signed by the authority
 * whose fingerprint is in the token. @throws IDENTITY_SERVER_UNTRUSTED, ADMIN_NOT_RUNNING, and what the admin API answers
 */
export async function askPinned(
  url: string,
  { token, clock, body, signal }: { token: JoinToken; clock: Clock; body: unknown; signal: AbortSignal },
): Promise<unknown> {
  // Node cannot verify against a fingerprint; what it would check is checked in `requirePinned`.
  const socket = await dial(url, { rejectUnauthorized: false, servername: "", minVersion: "TLSv1.3" }, signal);
  try {
    requirePinned(socket, token, clock);
    return await post(socket, { url, path: JOIN_PATH, body, signal });
  } finally {
    socket.destroy();
  }
}

/** Asks for the next identity over mutual TLS, as the present one; each address in turn. */
export const askRenewal =
  ({ urls, clock }: { readonly urls: readonly string[]; readonly clock: Clock }): AskAuthority =>
  async (signing, requestPem, signal) => {
    let failure = new FarmError("IDENTITY_RENEWAL_FAILED", "no admin API is known that could renew it; join again");
    for (const url of urls) {
      try {
        return await renewAt(url, { signing, clock }, { requestPem, signal });
      } catch (error) {
        failure = toFarmError(error);
      }
    }
    throw failure;
  };

async function renewAt(
  url: string,
  as: TlsParts,
  { requestPem, signal }: { requestPem: string; signal: AbortSignal },
): Promise<IssuedIdentity> {
  const socket = await dial(url, clientTls(as, { role: "admin" }), signal);
  try {
    const answer = issuedShape.safeParse(await post(socket, { url, path: RENEW_PATH, body: { request: requestPem }, signal }));
    if (answer.success) return answer.data;
    throw new FarmError("ADMIN_ANSWER_UNUSABLE", `the admin API at ${url} answered what cannot be read`);
  } finally {
    socket.destroy();
  }
}

async function dial(url: string, options: ConnectionOptions, signal: AbortSignal): Promise<TLSSocket> {
  const socket = connect({ ...adminAddress(url), ...options });
  const stop = (): void => void socket.destroy(new FarmError("CANCELLED", "the call was cancelled or took too long"));
  const within = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
  within.addEventListener("abort", stop, { once: true });
  socket.once("close", () => within.removeEventListener("abort", stop));
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once("secureConnect", resolve);
      socket.once("error", reject);
      socket.once("close", () => reject(new Error("the connection was closed")));
      if (within.aborted) stop();
    });
    socket.on("error", ignore);
    return socket;
  } catch (error) {
    socket.on("error", ignore);
    socket.destroy();
    throw dialFailure(url, error);
  }
}

function dialFailure(url: string, error: unknown): FarmError {
  if (error instanceof FarmError) return error;
  const code = systemCode(error) ?? "";
  const problem = error instanceof Error ? error.message : String(error);
  const isRefused = /^(ECONN|EHOST|ENET|ETIMEDOUT|ENOTFOUND|EAI_)/.test(code) || code === "";
  if (isRefused && !/certificate/.test(problem))
    return new FarmError("ADMIN_NOT_RUNNING", `the admin API at ${url} does not answer: ${problem}`, { cause: error });
  return new FarmError("IDENTITY_SERVER_UNTRUSTED", `what answers at ${url} is not believed: ${problem}`, { cause: error });
}

/** @throws IDENTITY_SERVER_UNTRUSTED */
function requirePinned(socket: TLSSocket, token: JoinToken, clock: Clock): void {
  const leaf = socket.getPeerX509Certificate();
  const authority = leaf?.issuerCertificate;
  if (leaf === undefined || authority === undefined || digestOf(authority) !== token.authority || !isIssuedBy(leaf, authority)) {
    throw new FarmError("IDENTITY_SERVER_UNTRUSTED", "the server did not show the authority that the token names");
  }
  const trust = { authorityPem: authority.toString(), farmId: token.farmId, revoked: new Set<string>(), now: clock.now() };
  const verdict = verifyIdentity(leaf.toString(), trust);
  if ("reason" in verdict) throw new FarmError("IDENTITY_SERVER_UNTRUSTED", `the server is not believed: ${verdict.problem}`);
  if (verdict.role !== "admin")
    throw new FarmError("IDENTITY_SERVER_UNTRUSTED", `the server is ${verdict.role} ${verdict.name}, not an admin`);
}

const digestOf = (certificate: X509Certificate): string => createHash("sha256").update(certificate.raw).digest("hex");

interface Call {
  readonly url: string;
  readonly path: string;
  readonly body: unknown;
  readonly signal: AbortSignal;
}

async function post(socket: TLSSocket, { url, path, body, signal }: Call): Promise<unknown> {
  const text = JSON.stringify(body);
  const headers = {
    host: new URL(url).host,
    "content-type": "application/json",
    "content-length": Buffer.byteLength(text),
    connection: "close",
  };
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const call = request({ method: "POST", path, headers, signal, createConnection: () => socket });
    call.once("response", resolve);
    call.once("error", (cause) =>
      reject(new FarmError("ADMIN_NOT_RUNNING", `the admin API at ${url} ended the call: ${cause.message}`, { cause })),
    );
    call.end(text);
  });
  const answer = await readJson(response, url);
  if (response.statusCode === 200) return answer;
  throw errorOf(answer, url);
}

async function readJson(response: IncomingMessage, url: string): Promise<unknown> {
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const part of response as AsyncIterable<Buffer>) {
      bytes += part.length;
      if (bytes > MAX_ANSWER) throw new Error("the answer is too large");
      parts.push(part);
    }
    return JSON.parse(Buffer.concat(parts).toString("utf8"));
  } catch (cause) {
    throw new FarmError("ADMIN_ANSWER_UNUSABLE", `the admin API at ${url} answered what cannot be read`, { cause });
  }
}

/** An error of the admin API as it was thrown there. */
function errorOf(answer: unknown, url: string): FarmError {
  const { code, message, facts } = typeof answer === "object" && answer !== null ? (answer as Record<string, unknown>) : {}; // looked at below
  if (typeof code !== "string" || !(code in ERRORS) || typeof message !== "string") {
    return new FarmError("ADMIN_ANSWER_UNUSABLE", `the admin API at ${url} answered with an error that cannot be read`);
  }
  return new FarmError(
    code as ErrorCode,
    message.slice(0, 2_000),
    typeof facts === "object" && facts !== null ? { facts: facts as Facts } : {},
  ); // of the table, as was looked at
}

function ignore(): void {
  // Whoever reads from the connection is told.
}
