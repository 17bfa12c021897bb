import { Secret, silentLog, systemClock } from "../../base/index.ts";
import { fixedPasswords } from "../../certificates/index.ts";
import { createAuthority, writePfx } from "../../pki/index.ts";
import { createReports, createRequests, type HostProof, type NodeReport } from "../../replica/index.ts";
import { createMemoryStore, type FarmStore } from "../../store/index.ts";
import { createOperations, type Operations } from "../create-operations.ts";
import type { OperationsParts } from "../parts.ts";

/** A farm in memory: certificates, configuration, and nodes that say what a test lets them say. */
export interface TestFarm {
  readonly store: FarmStore;
  readonly parts: OperationsParts;
  readonly operations: Operations;
  /** Puts a certificate for these names; `file` as in the central store. */
  putCertificate(file: string, ...names: readonly [string, ...string[]]): Promise<void>;
  /** A node's report of this moment. */
  report(node: string, changes?: Partial<NodeReport>): Promise<void>;
  /** Answers requests to a node until the signal aborts. */
  answer(node: string, handler: (verb: string, input: unknown) => unknown, signal: AbortSignal): void;
}

/** A new one. */
export function createTestFarm(): TestFarm {
  const store = createMemoryStore();
  const password = new Secret("test password");
  const parts: OperationsParts = {
    store,
    clock: systemClock,
    log: silentLog,
    passwords: fixedPasswords([password]),
    by: "tester@here",
  };
  const reports = new Map<string, ReturnType<typeof createReports>>();
  const authority = createAuthority({ name: "test CA", now: systemClock.now() });
  return {
    store,
    parts,
    operations: createOperations(parts),
    async putCertificate(file, ...names) {
      const { chainPem, keyPem } = await (await authority).issue({ names: [...names] });
      await store.folder("certificates").put(file, await writePfx({ chainPem, keyPem }, { password, profile: "modern" }));
    },
    async report(node, changes = {}) {
      const publisher = reports.get(node) ?? createReports(store, { clock: systemClock });
      reports.set(node, publisher);
      await publisher.publish(reportOf(node, changes));
    },
    answer(node, handler, signal) {
      const requests = createRequests(store, { clock: systemClock, log: silentLog });
      void requests.serve(node, (verb, input) => Promise.resolve().then(() => handler(verb, input)), signal);
    },
  };
}

/** A proof of a host. */
export const proofOf = (host: string, verdict: HostProof["verdict"], more: Partial<HostProof> = {}): HostProof => ({
  host,
  port: 443,
  verdict,
  ...more,
});

/** The proof part of a report, with counts that fit. */
export function proofs(...hosts: readonly HostProof[]): NodeReport["proof"] {
  const count = (verdict: HostProof["verdict"]): number => hosts.filter((host) => host.verdict === verdict).length;
  return { proved: count("proved"), failed: count("failed"), pending: count("pending"), hosts, truncated: false };
}

const reportOf = (node: string, changes: Partial<NodeReport>): NodeReport => ({
  node,
  at: systemClock.now(),
  startedAt: systemClock.now(),
  pid: 1,
  version: "0.1.0",
  nodeVersion: "v20.20.2",
  revision: 1,
  digest: "d",
  listeners: [],
  table: { rows: 1, drift: [], reconcile: "mend" },
  content: [],
  proof: proofs(),
  refusals: { total: 0, byReason: {} },
  handshakes: { served: 0, resumed: 0 },
  certificates: { listed: 0, read: 0, unusable: 0 },
  draining: false,
  resources: { rssBytes: 0, connections: 0, liveNames: 0, cpuSeconds: 0 },
  ...changes,
});

/** A farm.yaml of two nodes with these https bindings, each a site of its own. */
export function farmYaml(...bindings: readonly string[]): string {
  const sites = bindings.map((binding, at) => `  - { name: s${at}, bindings: ["${binding}"], redirect: https://elsewhere.example/ }`);
  return `farm: test
nodes:
  - { name: web1, addresses: [127.0.0.1], health: 127.0.0.1:9001 }
  - { name: web2, addresses: [127.0.0.2], health: 127.0.0.1:9002 }
sites:
${sites.join("\n")}
`;
}
