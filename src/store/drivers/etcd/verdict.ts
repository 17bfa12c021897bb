import { FarmError } from "../../../base/index.ts";
import type { Reply } from "./transport.ts";
import { type Json, numberOf, parseObject } from "./wire.ts";

/** What a reply means for whoever asked. */
export type Verdict =
  | { readonly kind: "done"; readonly json: Json }
  /** The history that was asked for is gone. */
  | { readonly kind: "compacted" }
  /** The reply is larger than was allowed. */
  | { readonly kind: "too-large" }
  /** The token is not valid any longer; nothing was done. */
  | { readonly kind: "token" }
  /** Nothing was done; another member or a later time may do. */
  | { readonly kind: "not-done"; readonly problem: string; readonly untrusted: boolean }
  /** It may have been done. */
  | { readonly kind: "unclear"; readonly problem: string }
  /** Nothing was done and nothing will be, whoever is asked. */
  | { readonly kind: "refused"; readonly error: FarmError };

/** gRPC status codes that the gateway passes on. */
const CODE = { invalid: 3, denied: 7, exhausted: 8, precondition: 9, outOfRange: 11, unimplemented: 12, unauthenticated: 16 };

/** Judges the reply of a member. `where` is its name. */
export function judge(reply: Reply, where: string): Verdict {
  if (reply.kind === "too-large") return reply;
  if (reply.kind === "failed") {
    const problem = `${where}: ${reply.problem}`;
    return reply.sent ? { kind: "unclear", problem } : { kind: "not-done", problem, untrusted: reply.untrusted };
  }
  const json = parseObject(reply.text);
  // Whatever etcd answers has a header; without it, what is missing in a reply must not be believed to be absent.
  if (reply.status === 200 && json?.["header"] !== undefined) return { kind: "done", json };
  if (json?.["code"] === undefined) return foreign(reply.status, where);
  return judgeError({ code: numberOf(json["code"]), message: messageOf(json), where });
}

/** A proxy may answer for a member that did the work; only what says "no such thing" did nothing for certain. */
function foreign(status: number, where: string): Verdict {
  const problem = `${where} does not answer like etcd (HTTP status ${status})`;
  const isCertain = status >= 400 && status < 500;
  return isCertain ? { kind: "not-done", problem, untrusted: false } : { kind: "unclear", problem };
}

/** The text of an error, also inside a stream. */
export function messageOf(error: Json): string {
  const text = error["message"] ?? error["error"];
  return typeof text === "string" ? text.slice(0, 300) : "no text";
}

/** What an error of etcd means. */
export function judgeError(error: { readonly code: number; readonly message: string; readonly where: string }): Verdict {
  const { code, message, where } = error;
  const problem = `${where}: ${message}`;
  if (code === CODE.outOfRange && message.includes("compacted")) return { kind: "compacted" };
  if (code === CODE.unauthenticated || message.includes("revision of auth store is old")) return { kind: "token" };
  if (isDenial(code, message)) return { kind: "refused", error: new FarmError("STORE_REFUSED", problem, { facts: { member: where } }) };
  if (message.includes("database space exceeded"))
    return { kind: "refused", error: new FarmError("STORE_FULL", problem, { facts: { member: where } }) };
  if (code === CODE.exhausted) return { kind: "not-done", problem, untrusted: false };
  if (code === CODE.invalid || code === CODE.precondition || code === CODE.unimplemented)
    return { kind: "refused", error: new FarmError("STORE_UNAVAILABLE", problem, { facts: { member: where } }) };
  return { kind: "unclear", problem };
}

const isDenial = (code: number, message: string): boolean =>
  code === CODE.denied || /authentication (failed|is not enabled)|user name is empty|permission denied/.test(message);
