import { toFarmError } from "../base/index.ts";
import type { Cell, Gap } from "../doctor/index.ts";
import type { LookControl, LookPlan, LookResult } from "./look-plan.ts";
import { probeTls } from "./probe-tls.ts";

/**
 * Dials every host on every endpoint: one handshake a cell first, then the deeper set where it tells something.
 * @throws PROBE_ROOTS_INVALID when `ca` holds no certificate
 */
export async function lookAround(plan: LookPlan, control: LookControl): Promise<LookResult> {
  const cells: Cell[] = [];
  const gaps: Gap[] = [];
  const { clock, signal, onProgress } = control;
  const pairs = plan.nodes.flatMap((node) =>
    node.endpoints.flatMap((endpoint) =>
      plan.hosts
        .filter(({ nodes }) => node.role === "balancer" || (nodes?.includes(node.name) ?? true))
        .map(({ name: host }) => ({ node: node.name, endpoint, host })),
    ),
  );
  for (const { node, endpoint, host } of pairs) {
    if (signal?.aborted === true) break;
    const settings = { alpn: ["h2", "http/1.1"], timeoutMs: plan.timeoutMs ?? 5_000, verify: true, clock };
    const trust = plan.ca === undefined ? {} : { ca: plan.ca };
    try {
      const sni = await probeTls({ ...settings, ...trust, target: endpoint, host, ...(signal === undefined ? {} : { signal }) });
      cells.push({ node, endpoint, host, probes: { sni } });
    } catch (thrown) {
      gaps.push({ node, what: "probes", why: toFarmError(thrown).message });
    }
    onProgress?.({ done: cells.length, total: pairs.length });
  }
  return { cells, gaps, roots: plan.ca === undefined ? "Node's roots" : "the given roots" };
}
