import { randomUUID } from "node:crypto";

import { FarmError, toFarmError, type Clock, type Log } from "../base/index.ts";
import type { Signing } from "../identity/index.ts";
import type { FarmStore, Rev } from "../store/index.ts";
import { isConflict } from "./error-kinds.ts";
import { follow } from "./follow.ts";
import { removeKey } from "./remove-key.ts";
import type { Reports } from "./reports.ts";
import { answerPrefix, requestPrefix, type StoredAnswer, type StoredRequest } from "./request-record.ts";
import { readAnswer, writeRequest } from "./request-signing.ts";

/** How long a sender waits, and what ends that early. */
export interface SendOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** What is asked of whom. */
export interface Question {
  readonly node: string;
  readonly verb: string;
  readonly input: unknown;
}

interface Sender {
  readonly store: FarmStore;
  readonly reports: Reports;
  readonly clock: Clock;
  readonly log: Log;
  /** Absent = a farm without identities. */
  readonly signing: Signing | undefined;
}

interface Asked {
  readonly node: string;
  readonly id: string;
}

const POLL_MS = 500;
/** Where the store tells of the answer. */
const TOLD_POLL_MS = 5_000;

/** Sends one request and waits for its answer; both keys are gone afterwards. */
export async function sendRequest(sender: Sender, question: Question, { timeoutMs, signal }: SendOptions): Promise<unknown> {
  const { state } = sender.store;
  const asked: Asked = { node: question.node, id: randomUUID() };
  const request: StoredRequest = { verb: question.verb, input: question.input, timeoutMs, confirmed: false };
  const key = `${requestPrefix(asked.node)}/${asked.id}`;
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const rev = await state.write(key, writeRequest(sender, asked, request), undefined);
    const until = AbortSignal.any([signal, timeout]);
    const answered = await awaitAnswer(
      sender,
      { ...asked, confirm: (challenge) => confirm(sender, asked, { request, rev, challenge }) },
      until,
    );
    if (answered !== undefined) return answered.output;
  } finally {
    await forget(sender, [key, `${answerPrefix(asked.node)}/${asked.id}`]);
  }
  if (signal.aborted) throw new FarmError("CANCELLED", `${question.verb} to ${question.node} was cancelled`, { cause: signal.reason });
  throw await noAnswer(sender, question, timeoutMs);
}

interface Awaited extends Asked {
  readonly confirm: (challenge: string | undefined) => Promise<void>;
}

/** undefined = the signal aborted first. Throws the error that the node answered. */
async function awaitAnswer(
  sender: Sender,
  { confirm, ...asked }: Awaited,
  signal: AbortSignal,
): Promise<{ readonly output: unknown } | undefined> {
  const { state } = sender.store;
  const key = `${answerPrefix(asked.node)}/${asked.id}`;
  const look = async (): Promise<{ readonly answer: StoredAnswer } | undefined> => {
    const entry = await state.read(key);
    return entry === undefined ? undefined : { answer: readAnswer(sender, asked, entry) };
  };
  const hints = [(stop: AbortSignal) => state.watch(answerPrefix(asked.node), { signal: stop })];
  for await (const seen of follow({ look, hints, everyMs: state.tellsAll === true ? TOLD_POLL_MS : POLL_MS, signal })) {
    if (seen?.answer.state === "asking") await confirm(seen.answer.challenge);
    if (seen?.answer.state === "done") return { output: seen.answer.output };
    if (seen?.answer.state === "failed") throw seen.answer.error;
  }
  return undefined;
}

interface Confirmation {
  readonly request: StoredRequest;
  readonly rev: Rev;
  readonly challenge: string | undefined;
}

/**
 * Tells a node that this request is still wanted: once only, since what it is compared with is the first writing. A second challenge stays
 * unanswered: it could mean that the request was carried out after the first.
 */
async function confirm(sender: Sender, asked: Asked, { request, rev, challenge }: Confirmation): Promise<void> {
  try {
    const key = `${requestPrefix(asked.node)}/${asked.id}`;
    await sender.store.state.write(key, writeRequest(sender, asked, { ...request, confirmed: true }, challenge), rev);
  } catch (error) {
    if (!isConflict(error)) throw error; // confirmed already, or dropped by the node
  }
}

/** What cannot be removed now is removed by the node later. */
async function forget({ store, log }: Sender, keys: readonly string[]): Promise<void> {
  for (const key of keys) {
    try {
      await removeKey(store.state, key);
    } catch (error) {
      log.debug("a request's key stays behind", { key, problem: toFarmError(error).message });
    }
  }
}

async function noAnswer(
  { reports, log }: Pick<Sender, "reports" | "log">,
  { node, verb }: Question,
  timeoutMs: number,
): Promise<FarmError> {
  let last = "nothing is known of its last report";
  let lastReportMs: number | undefined;
  try {
    const aged = await reports.read(node);
    lastReportMs = aged?.ageMs;
    last = aged === undefined ? "it has never reported" : `it last reported ${Math.round(aged.ageMs / 1000)} s ago`;
  } catch (error) {
    log.debug("the node's report cannot be read", { node, problem: toFarmError(error).message });
  }
  return new FarmError("NODE_NO_ANSWER", `${node} did not answer ${verb} within ${Math.round(timeoutMs)} ms; ${last}`, {
    facts: { node, verb, timeoutMs, lastReportMs },
  });
}
