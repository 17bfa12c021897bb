/** Dials an address as a client and tells what it saw. */
export { lookAround } from "./look-around.ts";
export type { LookControl, LookPlan, LookResult } from "./look-plan.ts";
export type { ProbeOptions } from "./open-tls.ts";
export { probeTls } from "./probe-tls.ts";
export { requestOnce, type RequestOptions } from "./request-once.ts";
export { resolveHost, type ResolvedHost, type ResolveOptions } from "./resolve-host.ts";
