import type { Clock, Log } from "../base/index.ts";
import type { FarmStore } from "../store/index.ts";
import { createReports } from "./reports.ts";
import { sendRequest, type SendOptions } from "./request-sender.ts";
import { serveRequests, type RequestHandler } from "./request-server.ts";

/** Requests to nodes over the store. Input and output are plain data of at most 512 KiB. */
export interface Requests {
  /**
   * Asks a node and waits for its answer.
   * @throws what the node's handler threw, as a FarmError @throws NODE_NO_ANSWER after `timeoutMs`: the node may have carried it out all
   * the same @throws CANCELLED when the signal aborts first; the store's errors when the request cannot be written
   */
  send(node: string, verb: string, input: unknown, options: SendOptions): Promise<unknown>;
  /**
   * Answers requests to a node, each at most once, eight at a time. One that its sender no longer waits for is dropped: by how long this
   * process has seen it, and one that was there before by asking the sender first. Ends on abort; never rejects.
   */
  serve(node: string, handler: RequestHandler, signal: AbortSignal): Promise<void>;
}

/** Requests as state keys `requests/<node>/<id>`, answers as `answers/<node>/<id>`. */
export function createRequests(store: FarmStore, { clock, log }: { readonly clock: Clock; readonly log: Log }): Requests {
  const reports = createReports(store, { clock, log });
  return {
    send: (node, verb, input, options) => sendRequest({ store, reports, log }, { node, verb, input }, options),
    serve: (node, handler, signal) => serveRequests({ store, clock, log, node, handler, signal }),
  };
}
