import { toFarmError } from "../../../base/index.ts";
import type { Gateway } from "./gateway.ts";
import { readLines } from "./lines.ts";
import type { EtcdMember } from "./url.ts";
import { judgeError, messageOf } from "./verdict.ts";
import { base64, clusterOf, eventOf, type Json, listOf, numberOf, objectOf, parseObject, revisionOf, type WireEvent } from "./wire.ts";

/** What comes out of a watch at one member. */
export type Piece =
  | { readonly kind: "created"; readonly revision: number; readonly cluster: string }
  | { readonly kind: "events"; readonly events: readonly WireEvent[]; readonly hasMore: boolean }
  | { readonly kind: "compacted" }
  | { readonly kind: "ended"; readonly problem: string };

/** A watch at one member, from a revision on. */
export interface WatchCall {
  readonly range: { readonly key: string; readonly range_end?: string };
  readonly from: number;
  readonly signal: AbortSignal;
  /** Told once, when the member is known. */
  readonly onMember?: (member: EtcdMember) => void;
}

/** etcd cuts what is larger into fragments of about 2 MiB; base64 makes 4 octets of 3. */
const MAX_LINE_BYTES = 8 * 1024 * 1024;

/** Pieces until the stream ends, which the last one tells. Pulled: whoever is slow makes etcd wait. Never throws. */
export async function* watchOnce(gateway: Gateway, call: WatchCall): AsyncGenerator<Piece> {
  const request = { create_request: { ...call.range, start_revision: String(call.from), fragment: true } };
  const { member, reply } = await gateway.open("/v3/watch", request, call.signal);
  if (reply.kind === "failed") return yield { kind: "ended", problem: reply.problem };
  call.onMember?.(member);
  try {
    for await (const line of readLines(reply.body as AsyncIterable<Uint8Array>, MAX_LINE_BYTES)) {
      const piece = readPiece(gateway, parseObject(line));
      if (piece !== undefined) yield piece;
      if (piece?.kind === "ended" || piece?.kind === "compacted") return;
    }
    yield { kind: "ended", problem: "the member ended the watch" };
  } catch (error) {
    yield { kind: "ended", problem: toFarmError(error).message };
  } finally {
    reply.close();
  }
}

function readPiece(gateway: Gateway, line: Json | undefined): Piece | undefined {
  if (line === undefined) return { kind: "ended", problem: "what a watch brought is not JSON" };
  if (line["error"] !== undefined) return readError(gateway, objectOf(line["error"]), line);
  const result = objectOf(line["result"]);
  if (result["canceled"] === true) return readCancellation(gateway, result);
  if (result["created"] === true) return { kind: "created", revision: revisionOf(result), cluster: clusterOf(result) };
  const events = listOf(result["events"]).map(eventOf);
  return events.length === 0 ? undefined : { kind: "events", events, hasMore: result["fragment"] === true };
}

function readCancellation(gateway: Gateway, result: Json): Piece {
  if (numberOf(result["compact_revision"]) > 0) return { kind: "compacted" };
  // etcd 3.4 says of a token that ran out what it says of a right that is not there.
  gateway.forgetToken();
  const reason = result["cancel_reason"];
  return { kind: "ended", problem: typeof reason === "string" ? reason.slice(0, 300) : "the watch was cancelled" };
}

function readError(gateway: Gateway, error: Json, line: Json): Piece {
  const message = messageOf(line["message"] === undefined ? error : line);
  const verdict = judgeError({ code: numberOf(error["grpc_code"] ?? line["code"]), message, where: "a watch" });
  if (verdict.kind === "compacted") return { kind: "compacted" };
  if (verdict.kind === "token") gateway.forgetToken();
  return { kind: "ended", problem: message };
}

const HISTORY_MS = 3000;
const HISTORY_TRIES = 4;
const MAX_HISTORY = 1000;

/** What history is looked for. */
interface HistoryWanted {
  readonly key: string;
  readonly from: number;
  readonly isEnough: (event: WireEvent) => boolean;
}

/** Past events of one key, up to one that is enough; undefined when they are not to be had. */
export async function readHistory(gateway: Gateway, wanted: HistoryWanted): Promise<readonly WireEvent[] | undefined> {
  const signal = AbortSignal.timeout(HISTORY_MS);
  for (let tries = 0; tries < HISTORY_TRIES && !signal.aborted; tries += 1) {
    const found = await readHistoryOnce(gateway, wanted, signal);
    if (found !== "ended") return found;
  }
  return undefined;
}

async function readHistoryOnce(
  gateway: Gateway,
  wanted: HistoryWanted,
  signal: AbortSignal,
): Promise<readonly WireEvent[] | "ended" | undefined> {
  const found: WireEvent[] = [];
  for await (const piece of watchOnce(gateway, { range: { key: base64(wanted.key) }, from: wanted.from, signal })) {
    if (piece.kind === "compacted") return undefined;
    if (piece.kind !== "events") continue;
    for (const event of piece.events) {
      found.push(event);
      if (wanted.isEnough(event)) return found;
      if (found.length === MAX_HISTORY) return undefined;
    }
  }
  return "ended";
}
