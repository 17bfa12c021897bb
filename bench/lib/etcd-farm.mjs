/** A certfarm over three members of etcd: sealed certificates in etcd, blobs in a directory, nodes as processes of their own. */
import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { startEtcd } from "./etcd.mjs";
import { BODY, farmYaml } from "./farm.mjs";
import { writeCertificates } from "./make-certificates.mjs";
import { freePorts, SERVER_CPU, start } from "./processes.mjs";
import { firstHandshake } from "./tls.mjs";

const SEALED_BYTES = 2_800;
const IN_ONE = 64;

/**
 * Founds the farm.
 * @param settings.nodes names of the nodes
 * @param settings.count certificates that are real, `host…` from 0 on
 * @param settings.names more names, whose files hold as much as a sealed certificate and nothing that can be read
 */
export async function makeEtcdFarm(bench, { nodes = ["web1"], count = 50, names = 0 } = {}) {
  const root = bench.folder("etcd-farm");
  const etcd = await startEtcd(join(root, "etcd"), 3);
  const room = (name, file = "index") => import(pathToFileURL(join(bench.dist, name, `${file}.js`)).href);
  const [base, rooms, secrets, replica, envelope] = await Promise.all([
    room("base"),
    room("store"),
    room("secrets"),
    room("replica"),
    room("store/drivers/etcd", "envelope"),
  ]);
  const key = join(root, "farm-key");
  await secrets.makeFarmKeyFile(key);
  const settings = { place: etcd.address("farm"), blobs: join(root, "blobs") };
  const parts = { log: base.silentLog, clock: base.systemClock };
  const kept = await rooms.openStore(settings, { ...parts, create: true });
  const { store } = secrets.sealStore(kept, { ...parts, source: secrets.farmKeySource({ file: key }) });
  const files = join(root, "certificates");
  mkdirSync(files);
  writeCertificates(files, { from: 0, count, format: "pem" });
  for (const file of readdirSync(files)) await store.folder("certificates").put(file, readFileSync(join(files, file)));
  await store.folder("content").put("www/index.html", Buffer.from(BODY));
  await fill(etcd, envelope, names);
  const ports = await freePorts(nodes.length * 2);
  const members = nodes.map((name, at) => ({ name, port: ports[at * 2], health: ports[at * 2 + 1] }));
  const revisions = replica.createRevisions(store, parts);
  const apply = async (yaml) => {
    const { number } = await revisions.append({ yaml, by: "bench", base: (await revisions.latest())?.number ?? 0 });
    return number;
  };
  await apply(farmYaml(members));

  return {
    etcd,
    store,
    replica,
    parts,
    yaml: (more) => farmYaml(members, more),
    apply,
    /** Starts a node with an empty data directory. */
    startNode(node, { name = nodes[0], cpu = SERVER_CPU, fresh = `${name}-${Date.now()}` } = {}) {
      const place = ["--store", settings.place, "--blobs", settings.blobs, "--farm-key-file", key];
      const args = [
        "--max-semi-space-size=4",
        join(bench.dist, "bin/main.js"),
        "node",
        "--name",
        name,
        ...place,
        "--data",
        join(root, fresh),
      ];
      const running = start(node.path, args, { cpu, env: { CERTFARM_LOG: "error" }, logFile: join(root, `${name}.log`) });
      const { port } = members.find((member) => member.name === name);
      return { ...running, name: `certfarm, Node ${node.label}`, node: name, port };
    },
    async stop() {
      await store.close();
      await etcd.stop();
    },
  };
}

/** Starts a node and waits until it serves a name. */
export async function startServing(farm, node, host, options) {
  const server = farm.startNode(node, options);
  await firstHandshake(server, host, { limitMs: 30_000 });
  return server;
}

/** Many names by the shortest way, in the driver's form. */
async function fill(etcd, { seal }, names) {
  const base64 = (bytes) => Buffer.from(bytes).toString("base64");
  const head = Buffer.alloc(8);
  head.writeDoubleBE(Date.now());
  for (let from = 0; from < names; from += IN_ONE) {
    const success = Array.from({ length: Math.min(IN_ONE, names - from) }, (_, at) => ({
      request_put: {
        key: base64(`farm/files/certificates/more${String(from + at).padStart(7, "0")}.example.com.pem`),
        value: base64(seal("00".repeat(16), Buffer.concat([head, randomBytes(SEALED_BYTES)]))),
      },
    }));
    await etcd.post("/v3/kv/txn", { success });
  }
}
