import type { Clock, Log } from "../base/index.ts";
import type { NodeRequestMap } from "../node/index.ts";
import { createRequests } from "../replica/index.ts";
import type { Signing } from "../identity/index.ts";
import type { FarmStore } from "../store/index.ts";
import type { FarmView } from "./present-farm.ts";
import { problemData } from "./status.ts";
import type { Problem } from "./types.ts";

/** An answer of each node that was asked, or why there is none. */
export type PerNode<T> = { readonly node: string } & (
  | { readonly kind: "answer"; readonly answer: T }
  | { readonly kind: "problem"; readonly problem: Problem }
);

/** What asking works with. */
export interface AskParts {
  readonly store: FarmStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly signing?: Signing | undefined;
}

/** How long to wait for an answer, and what ends that early. */
export interface AskOptions {
  /** @default 5,000 */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** Asks nodes over the store. */
export interface Asker {
  /** @throws NODE_NO_ANSWER, CANCELLED, and what the node's verb throws */
  readonly ask: <V extends keyof NodeRequestMap>(
    node: string,
    verb: V,
    input: NodeRequestMap[V]["input"],
    options?: AskOptions,
  ) => Promise<NodeRequestMap[V]["output"]>;
  /** The same of one node, or of every node at once. @throws NODE_UNKNOWN */
  readonly each: <T>(node: string | undefined, one: (node: string) => Promise<T>) => Promise<readonly PerNode<T>[]>;
}

/** A node on the same store answers in milliseconds; one that does not is told as silent. */
const ANSWER_MS = 5_000;

/** An asker; nothing is open between questions. */
export function createAsker(parts: AskParts, farm: FarmView): Asker {
  const requests = createRequests(parts.store, parts);
  const never = new AbortController().signal;
  return {
    async ask(node, verb, input, { timeoutMs = ANSWER_MS, signal = never } = {}) {
      // NodeRequestMap is the contract with the node's answers; both come from one package.
      return (await requests.send(node, verb, input, { timeoutMs, signal })) as NodeRequestMap[typeof verb]["output"];
    },
    async each(node, one) {
      const chosen = await farm.chosen(node);
      return Promise.all(chosen.map((name) => answerOf(name, one)));
    },
  };
}

async function answerOf<T>(node: string, one: (node: string) => Promise<T>): Promise<PerNode<T>> {
  try {
    return { node, kind: "answer", answer: await one(node) };
  } catch (error) {
    return { node, kind: "problem", problem: problemData(error) };
  }
}
