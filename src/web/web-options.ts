import type { Clock } from "../base/index.ts";
import type { AccessLog } from "./access-entry.ts";

/** What a handler is given besides its sources. */
export interface WebOptions {
  /** Asked to record only while `limits().accessLog` is not `off`. */
  readonly log: AccessLog;
  readonly clock: Clock;
  /** PEM roots for https upstreams; absent = those that Node brings. */
  readonly upstreamCa?: readonly string[];
  /** Clients whose X-Forwarded-* and Forwarded fields are believed and added to; absent = nobody's. */
  readonly trustsForwarded?: (clientAddress: string) => boolean;
}
