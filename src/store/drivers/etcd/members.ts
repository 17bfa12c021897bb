import type { Clock, Log } from "../../../base/index.ts";
import { createLogin, type EtcdUser, type Login } from "./login.ts";
import type { Transport } from "./transport.ts";
import { memberName, type EtcdAddress, type EtcdMember } from "./url.ts";
import { judge, type Verdict } from "./verdict.ts";
import { clusterOf, revisionOf } from "./wire.ts";

/** What the members are reached with. */
export interface MembersParts {
  readonly address: EtcdAddress;
  readonly transport: Transport;
  readonly user: EtcdUser | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly closed: AbortSignal;
  /** How long one call may take in all. */
  readonly patienceMs: number;
}

/** What is special about one request. */
interface SendOptions {
  readonly token?: string | undefined;
  readonly maxBytes?: number;
  readonly deadlineMs?: number;
}

/** The members of a cluster, of which one is asked at present, and the login. */
export interface Members {
  readonly login: Login;
  /** The highest revision that any reply told of. */
  readonly seen: () => number;
  /** When this member last answered for the whole cluster, by the monotonic clock. */
  readonly answeredMs: (member: EtcdMember) => number;
  /** The id in the last reply. */
  readonly cluster: () => string;
  readonly current: () => EtcdMember;
  /** Moves on, if this member is the one that is asked. */
  readonly leave: (member: EtcdMember, problem: string) => void;
  readonly send: (member: EtcdMember, path: string, body: unknown, options?: SendOptions) => Promise<Verdict>;
  /** Sends to the present member and moves on when it does not answer. */
  readonly sendOrLeave: (path: string, body: unknown, options?: SendOptions) => Promise<Verdict>;
}

/** How long one member may take; etcd itself gives up after about 7 s without a leader. */
export const TRY_MS = 3000;
/** While the cluster is away every call fails. */
const LOG_EVERY_MS = 5000;
/** Of replies that are not lists. */
export const MAX_BYTES = 4 * 1024 * 1024;

/** Begins at any member, so that many handles spread over all. */
export function createMembers(parts: MembersParts): Members {
  const { transport, clock, log, closed } = parts;
  const { members } = parts.address;
  let at = Math.floor(Math.random() * members.length);
  let seen = 0;
  let cluster = "";
  const answered = new Map<EtcdMember, number>();
  let loggedMs = Number.NEGATIVE_INFINITY;
  const current = (): EtcdMember => members[at % members.length] as EtcdMember; // an address has a member at least
  const leave = (member: EtcdMember, problem: string): void => {
    if (current() !== member) return;
    at = (at + 1) % members.length;
    if (clock.monotonicMs() - loggedMs < LOG_EVERY_MS) return;
    loggedMs = clock.monotonicMs();
    log.warn("a member of the store does not answer", {
      member: memberName(member),
      next: memberName(current()),
      problem,
    });
  };

  async function send(member: EtcdMember, path: string, body: unknown, more: SendOptions = {}): Promise<Verdict> {
    const { token, maxBytes = MAX_BYTES, deadlineMs = TRY_MS } = more;
    const sentMs = clock.monotonicMs();
    const reply = await transport.post(member, { path, body: JSON.stringify(body), token, maxBytes, deadlineMs, signal: closed });
    const verdict = judge(reply, memberName(member));
    if (verdict.kind === "done") {
      seen = Math.max(seen, revisionOf(verdict.json));
      cluster = clusterOf(verdict.json);
      // By when it was asked: whatever it says holds for then.
      answered.set(member, Math.max(answered.get(member) ?? 0, sentMs));
    }
    return verdict;
  }
  /** Leaves a member that does not answer. */
  async function sendOrLeave(path: string, body: unknown, more?: SendOptions): Promise<Verdict> {
    const member = current();
    const verdict = await send(member, path, body, more);
    if (verdict.kind === "not-done" || verdict.kind === "unclear") leave(member, verdict.problem);
    return verdict;
  }
  const login = createLogin(parts.user, (path, body) => sendOrLeave(path, body));
  return {
    login,
    seen: () => seen,
    answeredMs: (member) => answered.get(member) ?? Number.NEGATIVE_INFINITY,
    cluster: () => cluster,
    current,
    leave,
    send,
    sendOrLeave,
  };
}
