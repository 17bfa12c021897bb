import { FarmError } from "../../../base/index.ts";
import { pause } from "../../bell.ts";
import { createMembers, MAX_BYTES, type Members, type MembersParts, TRY_MS } from "./members.ts";
import { type Answer, createPatience, PAUSE_MS } from "./patience.ts";
import type { OpenReply } from "./transport.ts";
import type { EtcdMember } from "./url.ts";
import type { Verdict } from "./verdict.ts";
import type { Json } from "./wire.ts";

/** What a change got: `unclear` when it was sent and no answer told its outcome. */
export type Outcome = { readonly kind: "done"; readonly json: Json } | { readonly kind: "unclear"; readonly problem: string };

/** The cluster as one: whichever member answers, with deadlines, logged in. */
export interface Gateway {
  /** The highest revision that any reply told of: the cluster is there at least. */
  readonly seen: number;
  /** The id of the cluster that answered last. */
  readonly cluster: string;
  /** Asks members in turn until one answers. @throws STORE_UNAVAILABLE STORE_REFUSED STORE_UNTRUSTED STORE_FULL */
  ask(path: string, body: unknown, maxBytes?: number): Promise<Answer>;
  /** Sends a change once at most. @throws as ask, when it is certain that nothing was changed */
  tell(path: string, body: unknown): Promise<Outcome>;
  /** Opens a stream at the member that is asked at present. Never throws; a failure moves on to the next member. */
  open(path: string, body: unknown, signal: AbortSignal): Promise<OpenStream>;
  /** Whether a member answers for the whole cluster within a time. */
  isAlive(member: EtcdMember, deadlineMs: number): Promise<boolean>;
  /** When a member last answered for the whole cluster, by the monotonic clock. */
  answeredMs(member: EtcdMember): number;
  /** Moves on, if this member is the one that is asked. */
  leave(member: EtcdMember, problem: string): void;
  /** The token was refused inside a stream. */
  forgetToken(): void;
}

/** A stream and the member behind it. */
export interface OpenStream {
  readonly member: EtcdMember;
  readonly reply: OpenReply;
}

const MAX_ACTIVE = 2000;

/** One gateway for one handle. */
export function createGateway(parts: MembersParts): Gateway {
  const { address, clock, closed } = parts;
  const members = createMembers(parts);
  const { login } = members;
  let active = 0;

  /** One try at the present member, logged in. */
  async function attempt(path: string, body: unknown, maxBytes: number): Promise<Verdict> {
    const token = await login.token();
    // A login that did not come through changed nothing, whatever became of it.
    if (typeof token === "object") return token.kind === "unclear" ? { kind: "not-done", problem: token.problem, untrusted: false } : token;
    const verdict = await members.sendOrLeave(path, body, { token, maxBytes });
    if (verdict.kind === "token") login.forget(token);
    return verdict;
  }

  async function repeat(
    path: string,
    body: unknown,
    rule: { readonly maxBytes: number; readonly once: boolean },
  ): Promise<Answer | Outcome> {
    const patience = createPatience(address, clock, parts.patienceMs);
    for (let tries = 1; ; tries += 1) {
      if (closed.aborted) throw new FarmError("STORE_UNAVAILABLE", `the store ${address.text} is closed`);
      const verdict = await attempt(path, body, rule.maxBytes);
      if (isAnswer(verdict) || (verdict.kind === "unclear" && rule.once)) return verdict;
      patience.bear(verdict);
      if (verdict.kind !== "token" && tries % address.members.length === 0) await pause(PAUSE_MS, closed);
    }
  }

  async function bounded<T>(work: () => Promise<T>): Promise<T> {
    if (active >= MAX_ACTIVE) throw new FarmError("STORE_UNAVAILABLE", `${address.text}: too much is asked of the store at once`);
    active += 1;
    try {
      return await work();
    } finally {
      active -= 1;
    }
  }

  return {
    get seen() {
      return members.seen();
    },
    get cluster() {
      return members.cluster();
    },
    ask: (path, body, maxBytes = MAX_BYTES) => bounded(() => repeat(path, body, { maxBytes, once: false }) as Promise<Answer>), // `unclear` comes with `once` alone
    tell: (path, body) => bounded(() => repeat(path, body, { maxBytes: MAX_BYTES, once: true }) as Promise<Outcome>), // a change asks for no history
    ...streamsOf(parts, members),
  };
}

/** What watches need besides calls. */
function streamsOf(parts: MembersParts, members: Members): Pick<Gateway, "open" | "isAlive" | "answeredMs" | "leave" | "forgetToken"> {
  const { address, transport, closed } = parts;
  const { login } = members;
  return {
    async open(path, body, signal) {
      const token = await login.token();
      const member = members.current();
      if (typeof token === "object")
        return { member, reply: { kind: "failed", sent: false, untrusted: false, problem: "the login failed" } };
      const call = { path, body: JSON.stringify(body), token, deadlineMs: TRY_MS, maxBytes: 0, signal: AbortSignal.any([signal, closed]) };
      const reply = await transport.open(member, call);
      if (reply.kind === "failed" && !call.signal.aborted) members.leave(member, reply.problem);
      return { member, reply };
    },
    async isAlive(member, deadlineMs) {
      const token = await login.token();
      if (typeof token === "object") return false;
      const key = Buffer.from(`${address.prefix}/meta/farm`).toString("base64");
      const verdict = await members.send(member, "/v3/kv/range", { key, keys_only: true }, { token, deadlineMs });
      if (verdict.kind === "token") login.forget(token);
      return verdict.kind !== "not-done" && verdict.kind !== "unclear";
    },
    answeredMs: members.answeredMs,
    leave: members.leave,
    forgetToken: () => login.drop(),
  };
}

const isAnswer = (verdict: Verdict): verdict is Answer =>
  verdict.kind === "done" || verdict.kind === "compacted" || verdict.kind === "too-large";
