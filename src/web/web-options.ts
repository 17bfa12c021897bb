import type { Clock, Log } from "../base/index.ts";
import type { AccessLog } from "./access-entry.ts";

/** What a handler is given besides its sources. */
export interface WebOptions {
  /** Asked to record only while `limits().accessLog` is not `off`. */
  readonly log: AccessLog;
  readonly clock: Clock;
  /** Told of faults of this server itself; the client gets 500. Absent = nobody is told. */
  readonly diagnostics?: Log;
  /** PEM roots for https upstreams; absent = those that Node brings. */
  readonly upstreamCa?: readonly string[];
  /** Clients whose X-Forwarded-* and Forwarded fields are believed and added to; absent = nobody's. */
  readonly trustsForwarded?: (clientAddress: string) => boolean;
}
