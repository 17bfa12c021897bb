import { request, type Agent, type ClientRequest, type IncomingMessage } from "node:http";

import { systemCode, type Endpoint } from "../base/index.ts";

/** What became of a GET to a node's health endpoint. */
export type HealthAnswer =
  | { readonly kind: "answer"; readonly status: number; readonly body: string }
  /** `refused`: nobody listens there, which is certain at once; other failures may pass. */
  | { readonly kind: "failed"; readonly refused: boolean; readonly problem: string };

/** Where and how to ask. */
export interface HealthQuestion {
  readonly agent: Agent;
  readonly endpoint: Endpoint;
  /** With the query. */
  readonly path: string;
  /** For everything, the body included. */
  readonly timeoutMs: number;
  /** A longer body is a failure. */
  readonly maxBytes: number;
}

/**
 * One GET, bounded in time and size; never rejects. A connection that was kept alive and turns out to be closed is not the
 * node's failure: the question is put once more.
 */
export async function healthGet(question: HealthQuestion): Promise<HealthAnswer> {
  for (let tries = 0; tries < 2; tries++) {
    const answer = await attempt(question);
    if (answer !== "stale") return answer;
  }
  return failed(false, "its connections break off");
}

const failed = (refused: boolean, problem: string): HealthAnswer => ({ kind: "failed", refused, problem });

function attempt(question: HealthQuestion): Promise<HealthAnswer | "stale"> {
  const { agent, endpoint, path, timeoutMs } = question;
  return new Promise((resolve) => {
    const outgoing = request({ agent, host: endpoint.address, port: endpoint.port, path, method: "GET" });
    const timer = setTimeout(() => {
      resolve(failed(false, `it did not answer within ${timeoutMs} ms`));
      outgoing.destroy();
    }, timeoutMs);
    const settle = (answer: HealthAnswer | "stale"): void => {
      clearTimeout(timer);
      resolve(answer);
    };
    outgoing.on("response", (incoming) => read(incoming, question.maxBytes, settle));
    outgoing.on("error", (error) => settle(explain(error, outgoing)));
    outgoing.end();
  });
}

function explain(error: Error, outgoing: ClientRequest): HealthAnswer | "stale" {
  const code = systemCode(error);
  if (outgoing.reusedSocket && (code === "ECONNRESET" || code === "EPIPE")) return "stale";
  return failed(code === "ECONNREFUSED", code === "ECONNREFUSED" ? "its health port refuses connections" : error.message);
}

function read(incoming: IncomingMessage, maxBytes: number, settle: (answer: HealthAnswer) => void): void {
  const parts: Buffer[] = [];
  let length = 0;
  incoming.on("data", (part: Buffer) => {
    length += part.length;
    if (length <= maxBytes) return void parts.push(part);
    settle(failed(false, `its answer is longer than ${maxBytes} octets`));
    incoming.destroy();
  });
  incoming.on("error", () => settle(failed(false, "its answer broke off")));
  incoming.on("end", () => settle({ kind: "answer", status: incoming.statusCode ?? 0, body: Buffer.concat(parts).toString("utf8") }));
}
