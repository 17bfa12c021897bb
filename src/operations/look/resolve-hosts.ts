import type { HostName } from "../../base/index.ts";
import type { ExaminedHost, Gap } from "../../doctor/index.ts";
import { resolveHost } from "../../probe/index.ts";
import { eachBounded } from "./each-bounded.ts";
import type { LookControl } from "./look-settings.ts";

type Resolved = NonNullable<ExaminedHost["resolved"]>;

const AT_ONCE = 32;
const ONE_MS = 2_000;
const ALL_MS = 10_000;
/** Names below these stay on the machine or in documents; no resolver has to know them (RFC 6761, RFC 2606). */
const NOT_ASKED = /(^|\.)(localhost|test|invalid|example)$/;

/** What our own resolver says of hosts, as far as it answers in time. Never throws. */
export async function resolveHosts(
  hosts: readonly HostName[],
  { signal, onProgress }: LookControl,
): Promise<{ readonly resolved: ReadonlyMap<HostName, Resolved>; readonly gaps: readonly Gap[] }> {
  const asked = hosts.filter((host) => !NOT_ASKED.test(host));
  const resolved = new Map<HostName, Resolved>();
  const ending = AbortSignal.any([AbortSignal.timeout(ALL_MS), ...(signal === undefined ? [] : [signal])]);
  await eachBounded(asked, AT_ONCE, async (host) => {
    if (ending.aborted) return;
    const found = await resolveHost(host, { timeoutMs: ONE_MS, signal: ending });
    if (!ending.aborted) resolved.set(host, found);
    onProgress?.({ phase: "dns", done: resolved.size, total: asked.length });
  });
  const missing = asked.length - resolved.size;
  return { resolved, gaps: missing === 0 ? [] : [{ what: "dns", why: `${missing} of ${asked.length} names were not resolved in time` }] };
}
