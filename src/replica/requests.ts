import type { Clock, Log } from "../base/index.ts";
import type { Signing } from "../identity/index.ts";
import type { FarmStore } from "../store/index.ts";
import { createReports } from "./reports.ts";
import type { RequestRefusals } from "./request-refusals.ts";
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

/** What requests are sent and served with. */
export interface RequestsSettings {
  readonly clock: Clock;
  readonly log: Log;
  /** Absent = a farm without identities: nothing is signed, nothing refused. */
  readonly signing?: Signing | undefined;
  /** Told of what a node refuses. */
  readonly refusals?: RequestRefusals | undefined;
}

/**
 * Requests as state keys `requests/<node>/<id>`, answers as `answers/<node>/<id>`. In a signed farm the node answers each request with a
 * challenge first, and carries out only what an admin signed together with it: so each signature is good for one carrying out, by the process
 * that gave the challenge, whatever was written into the store before or since and whatever any clock says.
 */
export function createRequests(store: FarmStore, { clock, log, signing, refusals }: RequestsSettings): Requests {
  const reports = createReports(store, { clock, log, signing });
  return {
    send: (node, verb, input, options) => sendRequest({ store, reports, clock, log, signing }, { node, verb, input }, options),
    serve: (node, handler, signal) => serveRequests({ store, clock, log, node, handler, signal, signing, refusals }),
  };
}
