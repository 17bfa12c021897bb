import { FarmError, instant, type Clock } from "../base/index.ts";
import { isStatement, readStatement, signAs, trustOf, verifyStatement, type Signing, type StatementRefusal } from "../identity/index.ts";
import type { Entry } from "../store/index.ts";
import { decodeAnswer, decodeRequest, encodeAnswer, encodeRequest, type StoredAnswer, type StoredRequest } from "./request-record.ts";
import { corrupt } from "./state-json.ts";

/** A farm with identities, as seen by one of its processes. */
interface Signed {
  readonly signing: Signing | undefined;
  readonly clock: Clock;
}

/** One request of one node. */
interface Address {
  readonly node: string;
  readonly id: string;
}

/** Nobody in particular: whoever asked with this id. */
const ASKER = "farm";
const LONGEST_MS = 3_600_000;
/** A signed request begins without its input: nothing could be done with it here. */
const NOT_JOINED: StatementRefusal = {
  kind: "refused",
  reason: "untrusted",
  problem: "it is signed, and this node has not joined the farm",
};

/**
 * The request as it is stored. In a signed farm it is signed for this node; the first time without its input and without a challenge, so that
 * nothing can be done with it, and then with the challenge that the node gave.
 */
export function writeRequest({ signing, clock }: Signed, { node, id }: Address, request: StoredRequest, challenge?: string): Uint8Array {
  if (signing === undefined) return encodeRequest(request);
  const body = encodeRequest(challenge === undefined ? { ...request, input: undefined } : request);
  const now = clock.now();
  const notAfter = instant(now + Math.min(request.timeoutMs, LONGEST_MS));
  return signAs(signing, { kind: "request", to: node, id: requestId(id, challenge), issuedAt: now, notAfter, body });
}

/** A request that is stored, as far as it may be acted on. */
export type ReadRequest = { readonly kind: "request"; readonly request: StoredRequest } | StatementRefusal;

/** `challenge` = what this node asked its sender; only a request with it is `confirmed`. @throws STORE_CORRUPT */
export function readRequest({ signing, clock }: Signed, { node, id }: Address, entry: Entry, challenge?: string): ReadRequest {
  if (signing === undefined) return isStatement(entry.value) ? NOT_JOINED : { kind: "request", request: decodeRequest(entry) };
  const asked = challenge === undefined ? undefined : requestId(id, challenge);
  const seen = (statementId: string): boolean => statementId !== id && statementId !== asked;
  const expected = { kind: "request", to: node, role: "admin", trust: trustOf(signing), now: clock.now(), seen } as const;
  const read = verifyStatement(entry.value, expected);
  if (read.kind === "refused") return read;
  const request = decodeRequest({ key: entry.key, value: read.statement.body });
  return { kind: "request", request: { ...request, confirmed: read.statement.id === asked } };
}

/** The answer as it is stored: signed by the node in a signed farm. */
export function writeAnswer({ signing, clock }: Signed, { id }: Address, answer: StoredAnswer): Uint8Array {
  const body = encodeAnswer(answer);
  if (signing === undefined) return body;
  return signAs(signing, { kind: "answer", to: ASKER, id, issuedAt: clock.now(), notAfter: undefined, body });
}

/** The answer of the node that was asked; one of anybody else is a failure that says so. @throws STORE_CORRUPT */
export function readAnswer({ signing }: Signed, { node, id }: Address, entry: Entry): StoredAnswer {
  if (signing === undefined) return decodeAnswer({ key: entry.key, value: contentOf(entry) });
  // The id is this sender's own and random: an answer with it was made for this request.
  const expected = {
    kind: "answer",
    to: ASKER,
    role: "node",
    signer: node,
    trust: trustOf(signing),
    seen: (other: string) => other !== id,
  } as const;
  const read = verifyStatement(entry.value, expected);
  if (read.kind === "verified") return decodeAnswer({ key: entry.key, value: read.statement.body });
  const error = new FarmError("ANSWER_REFUSED", `the answer in ${node}'s name is not believed: ${read.problem}`, {
    facts: { node, reason: read.reason },
  });
  return { state: "failed", error };
}

/** Who has no identity believes everything, as in a farm without any. */
function contentOf({ key, value }: Entry): Uint8Array {
  if (!isStatement(value)) return value;
  const body = readStatement(value)?.statement.body;
  if (body === undefined) throw corrupt(key, "it is no whole statement");
  return body;
}

const requestId = (id: string, challenge: string | undefined): string => (challenge === undefined ? id : `${id}/${challenge}`);
