import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { Secret, silentLog, systemClock } from "../base/index.ts";
import { noPasswords } from "../certificates/index.ts";
import type { Signing } from "../identity/index.ts";
import { makeTestAuthority, type TestAuthority } from "../identity/testing/test-identities.ts";
import { createAuthority } from "../pki/index.ts";
import { createDrains, createReports, createRequests, createRevisions } from "../replica/index.ts";
import { farmKeySource, sealStore } from "../secrets/index.ts";
import { etcdNodeRole, etcdRights, openEtcdStore, rangeEndOf, type FarmStore } from "../store/index.ts";
import { startEtcd, type EtcdCluster } from "../store/testing/etcd.ts";
import { startNode, type Node } from "./start-node.ts";
import { freePorts, testYaml } from "./testing/test-node.ts";

const PREFIX = "farms/one";
const HOST = "www.example.com";
const parts = { clock: systemClock, log: silentLog };
const base64 = (text: string): string => Buffer.from(text).toString("base64");
const never = new AbortController().signal;

/** STORE.md's conformance test 18: a real etcd with a user for each process, and rights as `certfarm export etcd-roles` prints them. */
describe("with the rights of its own user in etcd alone", () => {
  let etcd: EtcdCluster;
  let root: string;
  let authority: TestAuthority;
  let admin: Signing;
  let adminStore: FarmStore;
  let nodeStore: FarmStore;
  let node: Node;
  const farmKey = randomBytes(32).toString("base64");

  const open = async (name: string, create: boolean): Promise<FarmStore> => {
    const user = { name, password: new Secret(`password of ${name}`) };
    const kept = await openEtcdStore({ ...parts, url: etcd.address(PREFIX), user, create });
    return sealStore(kept, { ...parts, source: farmKeySource({ environment: { CERTFARM_FARM_KEY: farmKey } }) }).store;
  };

  beforeAll(async () => {
    etcd = await startEtcd({ args: ["--bcrypt-cost", "4"] });
    await giveRights(etcd);
    root = await mkdtemp(join(tmpdir(), "certfarm-rights-"));
    authority = await makeTestAuthority();
    admin = await authority.signing("admin", "ann");
    adminStore = await open("certfarm-admin", true);
    const ca = await createAuthority({ name: "test", now: systemClock.now() });
    const { chainPem, keyPem } = await ca.issue({ names: [HOST] });
    await adminStore.folder("certificates").put(`${HOST}.pem`, Buffer.from(chainPem + keyPem.reveal()));
    const [https = 0, health = 0] = await freePorts(2);
    const sites = `  - name: shop\n    bindings: [https://${HOST}]\n    content: shop\n`;
    const yaml = testYaml({ nodes: [{ name: "web1", https, health }], sites });
    await createRevisions(adminStore, { ...parts, signing: admin }).append({ yaml, by: "ann", base: 0 });
    nodeStore = await open(etcdNodeRole("web1"), false);
    node = await startNode({
      ...parts,
      name: "web1",
      store: nodeStore,
      dataDir: join(root, "web1"),
      version: "test",
      signing: await authority.signing("node", "web1"),
      passwords: noPasswords,
      judge: async () => ({ kind: "accept" }),
      drainMs: 200,
    });
    await node.serving;
  }, 60_000);
  afterAll(async () => {
    await node?.close();
    await Promise.all([adminStore.close(), nodeStore.close()]);
    await etcd.stop();
    await rm(root, { recursive: true, force: true });
  });

  it("a node takes its configuration and certificates, proves its hosts, reports, is drained and answers", async () => {
    await expect.poll(() => node.report().proof.proved, { timeout: 20_000 }).toBeGreaterThan(0);
    await expect.poll(async () => (await createReports(adminStore, parts).read("web1"))?.report.revision, { timeout: 20_000 }).toBe(1);
    const requests = createRequests(adminStore, { ...parts, signing: admin });
    const evidence = await requests.send("web1", "evidence", {}, { timeoutMs: 20_000, signal: never });
    expect(evidence).toMatchObject({ selfTest: { kind: "passed" }, report: { revision: 1 } });
    await createDrains(adminStore, { ...parts, signing: admin }).set("web1", "ann");
    await expect.poll(() => node.report().draining, { timeout: 20_000 }).toBe(true);
    expect(node.report().staleSince).toBeUndefined();
  });

  it.each([
    "revisions/000009",
    "config-head/latest",
    "drains/web2",
    "content/shop",
    "nodes/web2",
    "nodes/web10",
    "requests/web2/1",
    "answers/web2/1",
    "tickets/keys",
    "secrets/keyring",
    "secrets/holders/web2",
    "passwords/00000000",
    "identity/trust/authority",
    "identity/trust/revoked/AA",
    "identity/tokens/1",
    "admin/tokens/1",
    "audit/head",
  ])("a node's user cannot write %s", async (key) => {
    const present = await adminStore.state.read(key);
    const writing = etcd.call("/v3/auth/authenticate", { name: etcdNodeRole("web1"), password: `password of ${etcdNodeRole("web1")}` });
    const { token } = (await writing) as { token: string };
    const [member] = etcd.members;
    const response = await fetch(`${member?.url}/v3/kv/put`, {
      method: "POST",
      headers: { authorization: token },
      body: JSON.stringify({ key: base64(`${PREFIX}/keys/${key}`), value: base64("forged") }),
    });
    expect(await response.json()).toMatchObject({ error: expect.stringContaining("permission denied") as string });
    expect(await adminStore.state.read(key)).toEqual(present);
  });

  it("a node's user can neither write nor remove certificates", async () => {
    const folder = nodeStore.folder("certificates");
    await expect(folder.put("evil.pem", Buffer.from("x"))).rejects.toMatchObject({ code: "STORE_REFUSED" });
    await expect(folder.remove(`${HOST}.pem`)).rejects.toMatchObject({ code: "STORE_REFUSED" });
  });

  it.each(["requests/web2", "admin/tokens", "identity/tokens", "audit", "nodes"])("a node's user cannot read %s", async (prefix) => {
    await expect(nodeStore.state.list(prefix)).rejects.toMatchObject({ code: "STORE_REFUSED" });
  });
});

/** Users as the printed script makes them, over the gateway. */
async function giveRights(etcd: EtcdCluster): Promise<void> {
  const rights = etcdRights({ nodes: ["web1", "web2"], hasBalancer: true });
  const roles = [...new Set(rights.map(({ role }) => role))];
  const auth = (path: string, body: unknown): Promise<unknown> => etcd.call(`/v3/auth/${path}`, body);
  for (const name of ["root", ...roles]) {
    await auth("user/add", { name, password: `password of ${name}` });
    await auth("role/add", { name });
    await auth("user/grant", { user: name, role: name });
  }
  for (const { role, kind, keys } of rights) {
    const end = rangeEndOf(keys);
    const [from, to] = keys === "" ? [`${PREFIX}/`, `${PREFIX}0`] : [`${PREFIX}/${keys}`, end === undefined ? "" : `${PREFIX}/${end}`];
    const perm = { permType: kind === "read" ? "READ" : "READWRITE", key: base64(from), ...(to === "" ? {} : { range_end: base64(to) }) };
    await auth("role/grant", { name: role, perm });
  }
  await auth("enable", {});
}
