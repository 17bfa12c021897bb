import { instant } from "../../base/index.ts";
import type { HostProof, NodeReport } from "../types.ts";

/** A node's report with nothing remarkable in it. */
export const reportOf = (node: string, changes: Partial<NodeReport> = {}): NodeReport => ({
  node,
  at: instant(1_000),
  startedAt: instant(500),
  pid: 1,
  version: "0.1.0",
  nodeVersion: "v20.20.2",
  revision: 3,
  digest: "d",
  listeners: [],
  table: { rows: 0, drift: [], reconcile: "mend" },
  content: [],
  proof: { proved: 0, failed: 0, pending: 0, hosts: [], truncated: false },
  refusals: { total: 0, byReason: {} },
  handshakes: { served: 0, resumed: 0 },
  certificates: { listed: 0, read: 0, unusable: 0 },
  draining: false,
  resources: { rssBytes: 0, connections: 0, liveNames: 0, cpuSeconds: 0 },
  ...changes,
});

/** `count` hosts with a verdict. */
export const hostsOf = (count: number, verdict: HostProof["verdict"]): readonly HostProof[] =>
  Array.from({ length: count }, (_, index) => ({ host: `www.${verdict}-${index}.example.com`, port: 443, verdict }));
