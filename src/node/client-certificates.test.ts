import { once } from "node:events";
import { connect as connectH2, type ClientHttp2Session } from "node:http2";
import { join } from "node:path";
import { connect as connectTls, type TLSSocket } from "node:tls";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { silentLog, systemClock } from "../base/index.ts";
import { noPasswords } from "../certificates/index.ts";
import { createAuthority } from "../pki/index.ts";
import { startNode, type Node } from "./start-node.ts";
import { createTestFarm, freePorts, testYaml, type TestFarm } from "./testing/test-node.ts";

/** One wildcard certificate covers all of these: clients may take one connection for several of them. */
const SITES = `  - name: open
    bindings: [https://open.example.test]
    redirect: https://elsewhere.example.test/
  - name: staff
    bindings: [https://staff.example.test]
    redirect: https://elsewhere.example.test/
    tls: { clientCertificates: require, clientCa: staff.pem }
  - name: guests
    bindings: [https://guests.example.test]
    redirect: https://elsewhere.example.test/
    tls: { clientCertificates: request, clientCa: staff.pem }
  - name: modern
    bindings: [https://modern.example.test]
    redirect: https://elsewhere.example.test/
    tls: { minVersion: "1.3" }
  - name: torn
    bindings: [https://torn.example.test]
    redirect: https://elsewhere.example.test/
    tls: { clientCertificates: require, clientCa: missing.pem, maxVersion: "1.2" }`;

let farm: TestFarm;
let node: Node;
let port = 0;
/** Clients with certificates of the first and of the next authority. */
let ada: { readonly cert: string; readonly key: string };
let grace: typeof ada;

beforeAll(async () => {
  farm = await createTestFarm();
  const [https = 0, health = 0] = await freePorts(2);
  port = https;
  await farm.certify("_.example.test.pem", { names: ["*.example.test"] });
  await farm.store.folder("certificates").put("authorities/staff.pem", Buffer.from(farm.authority.certificatePem));
  const { chainPem, keyPem } = await farm.authority.issue({ names: ["ada.example.test"], client: true });
  ada = { cert: chainPem, key: keyPem.reveal() };
  await farm.apply(testYaml({ sites: SITES, nodes: [{ name: "web1", https, health }] }));
  node = await farm.start("web1");
  await node.serving;
});

afterAll(() => farm.close());

const connect = (servername: string, options: object = {}): TLSSocket =>
  connectTls({ host: "127.0.0.1", port, servername, ca: farm.authority.certificatePem, ALPNProtocols: ["h2"], ...options });

const session = (servername: string, options: object = {}): ClientHttp2Session =>
  connectH2(`https://${servername}`, { createConnection: () => connect(servername, options) });

function status(on: ClientHttp2Session, authority: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const stream = on.request({ ":path": "/", ":authority": authority });
    stream.on("response", (headers) => resolve(Number(headers[":status"])));
    stream.on("error", reject);
    stream.on("close", () => reject(new Error("the connection ended before an answer")));
    stream.resume();
  });
}

/** Statuses of requests for these hosts over one connection. */
async function over(servername: string, options: object, hosts: readonly string[]): Promise<Record<string, number>> {
  const on = session(servername, options);
  on.on("error", () => undefined); // the requests tell
  try {
    const seen: Record<string, number> = {};
    for (const host of hosts) seen[host] = await status(on, `${host}.example.test`);
    return seen;
  } finally {
    on.destroy();
  }
}

describe("a connection that one certificate allows for several sites", () => {
  test("made for a site without client certificates never reads one that asks for them", async () => {
    await over("staff.example.test", ada, ["staff"]); // its authorities are in memory
    expect(await over("open.example.test", ada, ["open", "staff", "guests", "open"])).toEqual({ open: 308, staff: 421, guests: 421 });
  });

  test("made without a certificate where one is only asked for does not read a site that requires it", async () => {
    expect(await over("guests.example.test", {}, ["guests", "staff"])).toEqual({ guests: 308, staff: 421 });
  });

  test("made with a certificate reads its own site, and sites that ask for none", async () => {
    expect(await over("staff.example.test", ada, ["staff", "open"])).toEqual({ staff: 308, open: 308 });
  });

  test("made with TLS 1.2 does not read a site of TLS 1.3", async () => {
    expect(await over("open.example.test", { maxVersion: "TLSv1.2" }, ["open", "modern"])).toEqual({ open: 308, modern: 421 });
    expect(await over("open.example.test", {}, ["modern"])).toEqual({ modern: 308 });
  });
});

test("a site whose authorities cannot be read is not proved", async () => {
  const [error] = (await once(connect("torn.example.test", ada), "error", { signal: AbortSignal.timeout(5_000) })) as [
    NodeJS.ErrnoException,
  ];
  expect(error.code).toBe("ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR");
  const proof = () => node.report().proof.hosts.find(({ host }) => host === "torn.example.test");
  await expect.poll(() => proof()?.verdict, { timeout: 5_000 }).toBe("failed");
  expect(proof()?.problem).toContain("internal_error");
});

test("other authorities end what the old ones let in: tickets and open connections", async () => {
  const on = session("staff.example.test", ada);
  expect(await status(on, "staff.example.test")).toBe(308);
  const next = await createAuthority({ name: "the next authority", now: systemClock.now() });
  await farm.store.folder("certificates").put("authorities/staff.pem", Buffer.from(next.certificatePem));
  await expect.poll(() => status(on, "staff.example.test"), { timeout: 8_000, interval: 100 }).toBe(421);
  on.destroy();
  await expect(over("staff.example.test", ada, ["staff"])).rejects.toThrow();
  const { chainPem, keyPem } = await next.issue({ names: ["grace.example.test"], client: true });
  grace = { cert: chainPem, key: keyPem.reveal() };
  expect(await over("staff.example.test", grace, ["staff"])).toEqual({ staff: 308 });
}, 20_000);

test("with the store gone a node started anew still checks client certificates, by its own copy", async () => {
  await node.close();
  const lost = await createTestFarm();
  await lost.store.close();
  const again = await startNode({
    name: "web1",
    store: lost.store,
    dataDir: join(farm.root, "web1"),
    version: "test",
    log: silentLog,
    passwords: noPasswords,
    judge: async () => ({ kind: "accept" }),
    scan: "off",
    drainMs: 100,
  });
  try {
    await again.serving;
    expect(await over("staff.example.test", grace, ["staff"])).toEqual({ staff: 308 });
    await expect(over("staff.example.test", {}, ["staff"])).rejects.toThrow();
  } finally {
    await again.close();
    await lost.close();
  }
});
