import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer } from "node:net";

import { Secret, silentLog, systemClock } from "../../base/index.ts";
import { createRow, parseRowKey } from "../../bindings/index.ts";
import { fixedPasswords } from "../../certificates/index.ts";
import { startNode, type Node, type NodeRequestMap } from "../../node/index.ts";
import { createAuthority, writePfx } from "../../pki/index.ts";
import { createRequests, createRevisions } from "../../replica/index.ts";
import { createMemoryBacking, createMemoryStore, type FarmStore, type FaultPlan } from "../../store/index.ts";
import { createOperations, type Operations } from "../create-operations.ts";
import type { OperationsParts } from "../parts.ts";

/** A farm of real nodes in this process, over a store in memory; its nodes only observe drift. */
export interface LiveFarm {
  readonly operations: Operations;
  readonly parts: OperationsParts;
  /** The root that clients trust. */
  readonly caPem: string;
  readonly nodes: readonly string[];
  readonly store: FarmStore;
  /** Use cases over a handle of the store that fails as planned. */
  withFaults(faults: FaultPlan): Operations;
  ask<V extends keyof NodeRequestMap>(node: string, verb: V, input: NodeRequestMap[V]["input"]): Promise<NodeRequestMap[V]["output"]>;
  /** As an operator does it by hand. */
  deleteRow(node: string, row: string): Promise<void>;
  addRow(node: string, row: string, file: string): Promise<void>;
  /** `ip:127.0.0.2:443` of web2. */
  ipRow(node: string): string;
  stopNode(node: string): Promise<void>;
  close(): Promise<void>;
}

/** A farm that serves these hosts, each with a file of its own, on nodes `web1`, `web2`, … at 127.0.0.1, 127.0.0.2, … */
export async function startLiveFarm(count: number, hosts: readonly [string, ...string[]]): Promise<LiveFarm> {
  const backing = createMemoryBacking();
  const store = createMemoryStore({ backing });
  const root = await mkdtemp(join(tmpdir(), "certfarm-live-"));
  const password = new Secret("test password");
  const passwords = fixedPasswords([password]);
  const authority = await createAuthority({ name: "live CA", now: systemClock.now() });
  for (const host of hosts) {
    const { chainPem, keyPem } = await authority.issue({ names: [host] });
    await store.folder("certificates").put(`${host}.pfx`, await writePfx({ chainPem, keyPem }, { password, profile: "modern" }));
  }
  const names = Array.from({ length: count }, (_, at) => `web${at + 1}`);
  const yaml = await yamlOf(names, hosts);
  await createRevisions(store, { clock: systemClock, log: silentLog }).append({ yaml, by: "test", base: 0 });
  const nodes = new Map<string, Node>();
  for (const name of names) {
    const common = { log: silentLog, passwords, version: "test", drainMs: 100, scan: "off" as const };
    const judge = async () => ({ kind: "accept" }) as const;
    nodes.set(name, await startNode({ name, store: createMemoryStore({ backing }), dataDir: join(root, name), judge, ...common }));
  }
  await Promise.all([...nodes.values()].map(({ serving }) => serving));
  const parts: OperationsParts = { store, clock: systemClock, log: silentLog, passwords, by: "tester@here" };
  const requests = createRequests(store, { clock: systemClock, log: silentLog });
  const ask: LiveFarm["ask"] = async (node, verb, input) => {
    const signal = new AbortController().signal;
    return (await requests.send(node, verb, input, { timeoutMs: 10_000, signal })) as NodeRequestMap[typeof verb]["output"]; // the node's own answer
  };
  return {
    operations: createOperations(parts),
    parts,
    caPem: authority.certificatePem,
    nodes: names,
    store,
    withFaults: (faults) => createOperations({ ...parts, store: createMemoryStore({ backing, faults }) }),
    ask,
    deleteRow: async (node, row) => void (await ask(node, "table.delete", { key: parseRowKey(row) })),
    addRow: async (node, row, file) =>
      void (await ask(node, "table.add", { row: createRow({ key: parseRowKey(row), file, origin: "operator" }) })),
    ipRow: (node) => `ip:127.0.0.${names.indexOf(node) + 1}:443`,
    async stopNode(node) {
      await nodes.get(node)?.close();
    },
    async close() {
      await Promise.all([...nodes.values()].map((node) => node.close()));
      await store.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}

async function yamlOf(names: readonly string[], hosts: readonly string[]): Promise<string> {
  const nodes = await Promise.all(
    names.map(async (name, at) => {
      const address = `127.0.0.${at + 1}`;
      const [https, health] = [await freePort(address), await freePort(address)];
      return `  - { name: ${name}, address: ${address}, ports: { 443: ${https} }, health: "${address}:${health}", reconcile: observe }`;
    }),
  );
  const sites = hosts.map((host, at) => `  - { name: s${at}, bindings: ["https://${host}"], redirect: https://elsewhere.example/ }`);
  return `farm: live\nnodes:\n${nodes.join("\n")}\nsites:\n${sites.join("\n")}\nlimits: { accessLog: off }\n`;
}

function freePort(address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, address, () => {
      const { port } = server.address() as { port: number }; // a TCP server's address
      server.close(() => resolve(port));
    });
  });
}
