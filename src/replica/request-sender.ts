import { randomUUID } from "node:crypto";

import { FarmError, toFarmError, type Log } from "../base/index.ts";
import type { FarmStore, Rev, Store } from "../store/index.ts";
import { isConflict } from "./error-kinds.ts";
import { follow } from "./follow.ts";
import { removeKey } from "./remove-key.ts";
import type { Reports } from "./reports.ts";
import { answerPrefix, decodeAnswer, encodeRequest, requestPrefix, type StoredRequest } from "./request-record.ts";

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
  readonly log: Log;
}

const POLL_MS = 500;

/** Sends one request and waits for its answer; both keys are gone afterwards. */
export async function sendRequest(sender: Sender, question: Question, { timeoutMs, signal }: SendOptions): Promise<unknown> {
  const { state } = sender.store;
  const id = randomUUID();
  const request: StoredRequest = { verb: question.verb, input: question.input, timeoutMs, confirmed: false };
  const key = `${requestPrefix(question.node)}/${id}`;
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const rev = await state.write(key, encodeRequest(request), undefined);
    const until = AbortSignal.any([signal, timeout]);
    const answered = await awaitAnswer(state, { node: question.node, id, confirm: () => confirm(state, key, { request, rev }) }, until);
    if (answered !== undefined) return answered.output;
  } finally {
    await forget(sender, [key, `${answerPrefix(question.node)}/${id}`]);
  }
  if (signal.aborted) throw new FarmError("CANCELLED", `${question.verb} to ${question.node} was cancelled`, { cause: signal.reason });
  throw await noAnswer(sender, question, timeoutMs);
}

interface Awaited {
  readonly node: string;
  readonly id: string;
  readonly confirm: () => Promise<void>;
}

/** undefined = the signal aborted first. Throws the error that the node answered. */
async function awaitAnswer(
  state: Store,
  { node, id, confirm }: Awaited,
  signal: AbortSignal,
): Promise<{ readonly output: unknown } | undefined> {
  const key = `${answerPrefix(node)}/${id}`;
  const look = async () => {
    const entry = await state.read(key);
    return entry === undefined ? undefined : { answer: decodeAnswer(entry) };
  };
  const hints = [(stop: AbortSignal) => state.watch(answerPrefix(node), { signal: stop })];
  for await (const seen of follow({ look, hints, everyMs: POLL_MS, signal })) {
    if (seen?.answer.state === "asking") await confirm();
    if (seen?.answer.state === "done") return { output: seen.answer.output };
    if (seen?.answer.state === "failed") throw seen.answer.error;
  }
  return undefined;
}

/** Tells a node that just started that this request is still wanted. */
async function confirm(state: Store, key: string, { request, rev }: { request: StoredRequest; rev: Rev }): Promise<void> {
  try {
    await state.write(key, encodeRequest({ ...request, confirmed: true }), rev);
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

async function noAnswer({ reports, log }: Sender, { node, verb }: Question, timeoutMs: number): Promise<FarmError> {
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
