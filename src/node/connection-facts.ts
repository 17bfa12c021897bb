import type { ConnectionFacts } from "../web/index.ts";

/** What is known of a connection, on the connection itself: a WeakMap of all of them costs the garbage collector more than the requests. */
export const FACTS = Symbol("facts");

declare module "node:net" {
  interface Socket {
    [FACTS]?: ConnectionFacts;
  }
}
declare module "node:http2" {
  interface Http2Session {
    [FACTS]?: ConnectionFacts;
  }
}
