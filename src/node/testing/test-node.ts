import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { silentLog, systemClock, type Clock } from "../../base/index.ts";
import { noPasswords } from "../../certificates/index.ts";
import { createAuthority, type Authority, type IssueRequest } from "../../pki/index.ts";
import { createRevisions } from "../../replica/index.ts";
import { createMemoryBacking, createMemoryStore, type FarmStore, type MemoryBacking } from "../../store/index.ts";
import { startNode, type Node } from "../start-node.ts";

/** A farm of memory and loopback for tests of the node room. */
export interface TestFarm {
  readonly authority: Authority;
  readonly store: FarmStore;
  readonly backing: MemoryBacking;
  /** Where the nodes keep their data, by node name. */
  readonly root: string;
  /** Puts a PEM certificate into the central certificates. */
  certify(file: string, request: IssueRequest): Promise<void>;
  apply(yaml: string): Promise<void>;
  start(
    name: string,
    settings?: {
      readonly clock?: Clock;
      readonly rotateTicketsEveryMs?: number;
      readonly noticeMs?: number;
      readonly allowDrills?: boolean;
    },
  ): Promise<Node>;
  close(): Promise<void>;
}

/** Ports that were free a moment ago. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve) => {
          const server = createServer().listen(0, "127.0.0.1", () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port); // a TCP server's address
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** A farm without nodes yet. */
export async function createTestFarm(): Promise<TestFarm> {
  const backing = createMemoryBacking();
  const store = createMemoryStore({ backing });
  const root = await mkdtemp(join(tmpdir(), "certfarm-node-"));
  const authority = await createAuthority({ name: "test authority", now: systemClock.now() });
  const revisions = createRevisions(store, { clock: systemClock, log: silentLog });
  const nodes: Node[] = [];
  return {
    authority,
    store,
    backing,
    root,
    async certify(file, request) {
      const { chainPem, keyPem } = await authority.issue(request);
      await store.folder("certificates").put(file, Buffer.from(chainPem + keyPem.reveal()));
    },
    async apply(yaml) {
      const latest = await revisions.latest();
      await revisions.append({ yaml, by: "test", base: latest?.number ?? 0 });
    },
    async start(name, settings = {}) {
      const node = await startNode({
        name,
        store,
        dataDir: join(root, name),
        version: "test",
        log: silentLog,
        passwords: noPasswords,
        judge: async () => ({ kind: "accept" }),
        scan: "off",
        drainMs: 500,
        ...settings,
      });
      nodes.push(node);
      return node;
    },
    async close() {
      await Promise.all(nodes.map((node) => node.close()));
      await store.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}

/** farm.yaml of nodes on 127.0.0.1 with one TLS and one plain port each. */
export function testYaml(settings: {
  readonly nodes: readonly { readonly name: string; readonly https: number; readonly health: number; readonly extra?: string }[];
  readonly sites: string;
}): string {
  const nodes = settings.nodes.map(
    ({ name, https, health, extra = "" }) => `  - name: ${name}
    address: 127.0.0.1
    ports: { 443: ${https} }
    health: 127.0.0.1:${health}
${extra}`,
  );
  return `farm: test\nnodes:\n${nodes.join("")}sites:\n${settings.sites}\nlimits: { accessLog: off, handshakeTimeout: 1s }\n`;
}
