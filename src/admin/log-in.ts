import { FarmError, type Clock, type Log, type Secret } from "../base/index.ts";
import type { IdentityRefusal, VerifiedIdentity } from "../identity/index.ts";
import type { Caller } from "./caller.ts";
import { createFailedLogins } from "./failed-logins.ts";
import { createTokenCheck } from "./token.ts";
import type { Tokens } from "./tokens.ts";

/** What a request shows of its caller. */
export interface Presented {
  /** The header. */
  readonly authorization: string | undefined;
  /** Who the client is by the certificate of its TLS handshake; undefined = it showed none. */
  readonly peer: VerifiedIdentity | IdentityRefusal | undefined;
  /** The peer's IP address. */
  readonly address: string;
  /** It came to a listener that only this machine reaches. */
  readonly isLocal: boolean;
}

/** Tells who calls. @throws ADMIN_UNAUTHORIZED, ADMIN_TOKEN_EXPIRED, ADMIN_CERTIFICATE_REFUSED, ADMIN_TOO_MANY_FAILURES, and the store's errors */
export type LogIn = (presented: Presented) => Promise<Caller>;

/** What callers are checked against. */
export interface LogInParts {
  readonly clock: Clock;
  readonly log: Log;
  /** The token file's; taken on local listeners only. */
  readonly local: Secret;
  /** The account that the admin API runs as. */
  readonly account: string;
  readonly tokens: Pick<Tokens, "find">;
}

const NOBODY: Caller = { name: "nobody", role: "newcomer", by: "nothing" };

/** Callers by the token file, by a token of the store or by a certificate of the farm. */
export function createLogIn(parts: LogInParts): LogIn {
  const failed = createFailedLogins(parts.clock);
  const isLocalToken = createTokenCheck(parts.local);
  return async (presented) => {
    const { authorization, address, isLocal } = presented;
    const named = byCertificate(parts, presented);
    if (authorization === undefined || named?.role === "admin") return named ?? NOBODY;
    const token = tokenIn(authorization);
    if (isLocal && isLocalToken(token)) return { name: parts.account, role: "admin", by: "local" };
    failed.check(address);
    try {
      return await byToken(parts, token);
    } catch (error) {
      if (error instanceof FarmError && error.code.startsWith("ADMIN_")) {
        failed.note(address);
        parts.log.warn("a log-in to the admin API failed", { address, problem: error.code });
      }
      throw error;
    }
  };
}

function byCertificate({ log }: LogInParts, { peer, address }: Presented): Caller | undefined {
  if (peer === undefined) return undefined;
  if (!("reason" in peer)) return { name: peer.name, role: peer.role, by: "certificate" };
  log.warn("a log-in to the admin API failed", { address, problem: peer.problem });
  throw new FarmError("ADMIN_CERTIFICATE_REFUSED", `the client's certificate is not taken: ${peer.problem}`, {
    facts: { reason: peer.reason },
  });
}

/** A header of the usual form has some 80 characters. */
const MAX_HEADER = 1_000;

function tokenIn(authorization: string): string {
  const token = authorization.length > MAX_HEADER ? undefined : /^Bearer +(\S+) *$/i.exec(authorization)?.[1];
  if (token === undefined)
    throw new FarmError("ADMIN_UNAUTHORIZED", "the request carries no token: its Authorization header is not `Bearer TOKEN`");
  return token;
}

async function byToken({ tokens }: LogInParts, token: string): Promise<Caller> {
  const found = await tokens.find(token);
  if (found.kind === "known") return { name: found.token.name, role: found.token.role, by: "token" };
  if (found.kind === "unknown") throw new FarmError("ADMIN_UNAUTHORIZED", "the request's token is not one of the farm's");
  const { name, expiresAt } = found.token;
  throw new FarmError("ADMIN_TOKEN_EXPIRED", `the token ${JSON.stringify(name)} expired at ${new Date(expiresAt ?? 0).toISOString()}`, {
    facts: { name },
  });
}
