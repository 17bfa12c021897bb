/** A certfarm for a bench: a directory store with certificates in bulk, nodes and a balancer as processes of their own. */
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { hostName, PASSWORD, writeCertificates } from "./make-certificates.mjs";
import { freePorts, SERVER_CPU, start } from "./processes.mjs";
import { firstHandshake } from "./tls.mjs";

export const BODY = "hello world";

/**
 * Makes the store: one site for every name, with one small file.
 * @param bench what run.mjs gives every case
 * @param settings.nodes names of the nodes
 * @param settings.sets what certificates there are: [{ format: "pem" | "pfx", count }]; sets are numbered one after the other
 */
export async function makeFarm(bench, { nodes = ["web1"], sets = [{ format: "pem", count: 50 }] } = {}) {
  const root = bench.folder("farm");
  const store = join(root, "store");
  const certificates = join(store, "certificates");
  let authority;
  let next = 0;
  for (const { format, count } of sets) {
    authority = writeCertificates(certificates, { from: next, count, format, ...(authority === undefined ? {} : { authority }) });
    next += count;
  }
  const passwords = join(root, "passwords.yaml");
  writeFileSync(passwords, `everyFile: ${PASSWORD}\n`, { mode: 0o600 });
  mkdirSync(join(store, "content/www"), { recursive: true });
  writeFileSync(join(store, "content/www/index.html"), BODY);
  const ports = await freePorts(nodes.length * 2);
  const members = nodes.map((name, at) => ({ name, port: ports[at * 2], health: ports[at * 2 + 1] }));
  await applyConfig(bench, store, farmYaml(members));

  return {
    root,
    store,
    authority,
    /** Starts a node with an empty data directory; `served` waits until it serves a name. */
    startNode(node, { name = nodes[0], cpu = SERVER_CPU, fresh = `${name}-${Date.now()}` } = {}) {
      const data = join(root, fresh);
      // As `certfarm up` starts nodes.
      const args = [
        "--max-semi-space-size=4",
        join(bench.dist, "bin/main.js"),
        "node",
        "--name",
        name,
        "--store",
        store,
        "--data",
        data,
        "--passwords",
        passwords,
      ];
      const running = start(node.path, args, { cpu, env: { CERTFARM_LOG: "error" }, logFile: join(root, `${name}.log`) });
      const { port } = members.find((member) => member.name === name);
      return { ...running, name: `certfarm, Node ${node.label}`, node: name, port };
    },
    /** Replaces a certificate file in one step, as a careful tool does. */
    replace(index, bytes, format = "pem") {
      const path = join(certificates, `${hostName(index)}.${format}`);
      writeFileSync(`${path}.tmp`, bytes);
      renameSync(`${path}.tmp`, path);
    },
  };
}

/** Starts a node and waits until it serves its first name. */
export async function startServing(farm, node, options = {}) {
  const server = farm.startNode(node, options);
  await firstHandshake(server, hostName(0), { limitMs: 30_000 });
  return server;
}

/** The configuration of these members: one site for every name. */
export const farmYaml = (members, { maxLiveNames = 2000 } = {}) => `farm: bench
nodes:
${members.map(({ name, port, health }) => `  - { name: ${name}, address: 127.0.0.1, ports: { 443: ${port} }, health: "127.0.0.1:${health}" }`).join("\n")}
sites:
  - name: any
    bindings: ["https://*"]
    content: www
limits: { maxLiveNames: ${maxLiveNames}, accessLog: w3c }
`;

/** The parts of certfarm's build that a bench uses in its own process. */
export async function loadRooms(bench) {
  const room = (name) => import(pathToFileURL(join(bench.dist, name, "index.js")).href);
  const [base, store, replica] = await Promise.all(["base", "store", "replica"].map(room));
  return { ...base, ...store, ...replica };
}

/** Makes a farm.yaml the newest revision of a store. */
export async function applyConfig(bench, root, yaml) {
  const { openDirectoryStore, createRevisions, silentLog, systemClock } = await loadRooms(bench);
  const store = await openDirectoryStore({ root, log: silentLog, clock: systemClock });
  const revisions = createRevisions(store, { clock: systemClock, log: silentLog });
  await revisions.append({ yaml, by: "bench", base: (await revisions.latest())?.number ?? 0 });
  await store.close();
}
