import type { Clock, Endpoint, HostName } from "../base/index.ts";
import type { Observation } from "../doctor/index.ts";
import { probeTls } from "../probe/index.ts";

/** Offered first by a node that dials itself; no server picks it. It keeps the proof's own handshakes out of counts and journal. */
export const PROOF_ALPN = "certfarm-proof";

const DIAL_TIMEOUT_MS = 5_000;

/** One handshake with a listener of this node. */
export function dialOwnListener(clock: Clock, target: Endpoint, host: HostName): Promise<Observation> {
  return probeTls({
    clock,
    target,
    host,
    alpn: [PROOF_ALPN, "http/1.1", "h2"],
    timeoutMs: DIAL_TIMEOUT_MS,
    verify: false,
    countChain: true,
  });
}
