import { once } from "node:events";
import { connect as connectHttp2, constants } from "node:http2";
import { connect as connectTcp } from "node:net";
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from "node:tls";
import { join } from "node:path";
import { writeFile } from "node:fs/promises";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { silentLog, systemClock } from "../base/index.ts";
import { createRow, parseRowKey } from "../bindings/index.ts";
import { createDrains, createRequests } from "../replica/index.ts";
import type { Node } from "./start-node.ts";
import type { NodeRequestMap } from "./requests.ts";
import { createTestFarm, freePorts, testYaml, type TestFarm } from "./testing/test-node.ts";

const SITES = `  - name: www
    bindings: [https://www.example.test, "https://*.shop.example.test"]
    redirect: https://elsewhere.example.test/
  - name: tls13
    bindings: [https://modern.example.test]
    redirect: https://elsewhere.example.test/
    tls: { minVersion: "1.3", alpn: [http/1.1] }
  - name: staff
    bindings: [https://staff.example.test]
    redirect: https://elsewhere.example.test/
    tls: { clientCertificates: require, clientCa: staff.pem }`;

let farm: TestFarm;
let nodes: readonly [Node, Node];
let ports: { readonly https: readonly number[]; readonly health: readonly number[] };

/** What a handshake came to: the certificate's name and the socket's facts, or the error's code. */
interface Seen {
  readonly name?: string;
  readonly protocol?: string | null;
  readonly alpn?: string | false | null;
  readonly resumed?: boolean;
  readonly session?: Buffer;
  readonly error?: string;
}

function handshake(port: number, options: ConnectionOptions = {}): Promise<Seen> {
  return new Promise((resolve) => {
    const socket: TLSSocket = connectTls({ host: "127.0.0.1", port, ca: farm.authority.certificatePem, ...options });
    let session: Buffer | undefined;
    socket.on("session", (ticket) => {
      session = ticket;
    });
    socket.on("secureConnect", () => {
      const seen = {
        name: String(socket.getPeerCertificate().subject?.CN),
        protocol: socket.getProtocol(),
        alpn: socket.alpnProtocol,
        resumed: socket.isSessionReused(),
      };
      socket.once("close", () => resolve({ ...seen, ...(session === undefined ? {} : { session }) }));
      socket.on("data", () => undefined);
      socket.end(`GET / HTTP/1.1\r\nHost: ${String(options.servername)}\r\nConnection: close\r\n\r\n`);
    });
    socket.on("error", (error: NodeJS.ErrnoException) => resolve({ error: error.code ?? error.message }));
  });
}

const ask = async <V extends keyof NodeRequestMap>(
  node: string,
  verb: V,
  input: NodeRequestMap[V]["input"],
): Promise<NodeRequestMap[V]["output"]> => {
  const requests = createRequests(farm.store, { clock: systemClock, log: silentLog });
  return (await requests.send(node, verb, input, { timeoutMs: 5_000, signal: AbortSignal.timeout(5_000) })) as NodeRequestMap[V]["output"]; // the node's own answer
};

/** Asks again and again until the answer fits: the farm gets there by itself, nobody is told when. */
async function eventually<T>(look: () => Promise<T>, fits: (value: T) => boolean, withinMs = 10_000): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const value = await look();
    if (fits(value)) return value;
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms; last: ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const ready = (health: number | undefined, query = ""): Promise<number> =>
  fetch(`http://127.0.0.1:${health}/readyz${query}`).then(
    (answer) => answer.status,
    () => 0,
  );

const yaml = (extra = ""): string =>
  testYaml({
    sites: SITES,
    nodes: ["web1", "web2"].map((name, at) => ({
      name,
      https: ports.https[at] ?? 0,
      health: ports.health[at] ?? 0,
      ...(name === "web2" ? { extra } : {}),
    })),
  });

beforeAll(async () => {
  farm = await createTestFarm();
  const [a = 0, b = 0, c = 0, d = 0] = await freePorts(4);
  ports = { https: [a, b], health: [c, d] };
  await farm.certify("www.example.test.pem", { names: ["www.example.test"] });
  await farm.certify("_.shop.example.test.pem", { names: ["*.shop.example.test"] });
  await farm.certify("modern.example.test.rsa.pem", { names: ["modern.example.test"], keyType: "rsa" });
  await farm.certify("modern.example.test.ecdsa.pem", { names: ["modern.example.test"], keyType: "ecdsa" });
  await farm.certify("staff.example.test.pem", { names: ["staff.example.test"] });
  await farm.certify("unbound.example.test.pem", { names: ["unbound.example.test"] });
  await farm.store.folder("certificates").put("authorities/staff.pem", Buffer.from(farm.authority.certificatePem));
  await farm.apply(yaml());
  nodes = [await farm.start("web1"), await farm.start("web2")];
  await Promise.all(nodes.map((node) => node.serving));
});

afterAll(() => farm.close());

const https = (at: 0 | 1 = 0): number => ports.https[at] ?? 0;

describe("a handshake", () => {
  test.each([
    ["the exact name", { servername: "www.example.test" }, { name: "www.example.test", protocol: "TLSv1.3" }],
    ["any case of it", { servername: "WWW.Example.TEST" }, { name: "www.example.test" }],
    ["TLS 1.2", { servername: "www.example.test", maxVersion: "TLSv1.2" }, { name: "www.example.test", protocol: "TLSv1.2" }],
    ["a name below a wildcard", { servername: "a.shop.example.test" }, { name: "*.shop.example.test" }],
    ["a name that has a file and no site, as with HTTP.sys", { servername: "unbound.example.test" }, { name: "unbound.example.test" }],
    ["h2 where the site speaks it", { servername: "www.example.test", ALPNProtocols: ["h2", "http/1.1"] }, { alpn: "h2" }],
    [
      "http/1.1 where the site speaks that only",
      { servername: "modern.example.test", ALPNProtocols: ["h2", "http/1.1"] },
      { alpn: "http/1.1" },
    ],
  ] as const)("with %s is served", async (_what, options, expected) => {
    expect(
      await handshake(https(), { ...options, ...("ALPNProtocols" in options ? { ALPNProtocols: [...options.ALPNProtocols] } : {}) }),
    ).toMatchObject(expected);
  });

  test.each([
    ["RSA", "RSA-PSS+SHA256", "rsa"],
    ["ECDSA", "ECDSA+SHA256", "ec"],
  ])("of a client that speaks %s only gets that certificate of the pair", async (_what, sigalgs, keyType) => {
    const kind = await new Promise((resolve) => {
      const socket = connectTls(
        { host: "127.0.0.1", port: https(), servername: "modern.example.test", sigalgs, rejectUnauthorized: false },
        () => {
          resolve(socket.getPeerX509Certificate()?.publicKey.asymmetricKeyType);
          socket.destroy();
        },
      );
      socket.on("error", resolve);
    });
    expect(kind).toBe(keyType);
  });

  test.each([
    ["a name without a file", { servername: "nobody.example.test" }, "ERR_SSL_TLSV1_UNRECOGNIZED_NAME", "no-certificate"],
    ["no name", {}, "ERR_SSL_TLSV1_UNRECOGNIZED_NAME", "no-server-name"],
    [
      "TLS 1.2 where 1.3 is wanted",
      { servername: "modern.example.test", maxVersion: "TLSv1.2" },
      "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION",
      "handshake-failed",
    ],
    [
      "a cipher that nobody has",
      { servername: "www.example.test", maxVersion: "TLSv1.2", ciphers: "AES128-SHA" },
      "ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE",
      "handshake-failed",
    ],
  ] as const)("with %s gets an alert and an entry in the journal", async (_what, options, error, reason) => {
    const { total } = await ask("web1", "refusals", { after: 0, limit: 1 });
    expect(await handshake(https(), { servername: "", ...options })).toEqual({ error });
    const ofReason = async () =>
      (await ask("web1", "refusals", { after: total, limit: 10 })).entries.filter((entry) => entry.reason === reason);
    const entries = await eventually(ofReason, (found) => found.length > 0);
    expect(entries).toHaveLength(1);
    expect(entries[0]).toMatchObject({ reason, client: expect.stringMatching(/^127\.0\.0\.1:\d+$/), local: "127.0.0.1:443" });
  });
});

describe("what is no handshake", () => {
  const talk = (bytes: string | Buffer, end = false): Promise<Buffer> =>
    new Promise((resolve) => {
      const socket = connectTcp({ host: "127.0.0.1", port: https() }, () => (end ? socket.end(bytes) : socket.write(bytes)));
      const got: Buffer[] = [];
      socket.on("data", (chunk) => got.push(chunk));
      socket.on("error", () => undefined);
      socket.on("close", () => resolve(Buffer.concat(got)));
    });

  test("plain HTTP is told to use https", async () => {
    expect((await talk("GET / HTTP/1.1\r\nHost: x\r\n\r\n")).toString()).toMatch(/^HTTP\/1\.1 400 [\s\S]*Use https:/);
  });

  test.each([
    ["garbage", Buffer.from("\u0000\u0001hello, is it TLS?\r\n\r\n"), "not-tls", 10],
    ["a ClientHello whose lengths lie", Buffer.from("160301000901000005030100000000", "hex"), "malformed-hello", 50],
    ["half a ClientHello", Buffer.from("16030100c8010000c40303", "hex"), "hello-timeout", 80],
  ])("%s gets an alert", async (_what, bytes, reason, alert) => {
    const before = (await ask("web1", "refusals", { after: 0, limit: 1 })).total;
    const answer = await talk(bytes);
    expect([answer[0], answer[5], answer[6]]).toEqual([21, 2, alert]);
    const { entries } = await ask("web1", "refusals", { after: before, limit: 10 });
    expect(entries.map((entry) => entry.reason)).toContain(reason);
  });

  test("a PROXY header from somebody who is not the balancer is refused", async () => {
    const before = (await ask("web1", "refusals", { after: 0, limit: 1 })).total;
    await talk("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n");
    const { entries } = await ask("web1", "refusals", { after: before, limit: 10 });
    expect(entries.map((entry) => entry.reason)).toEqual(["untrusted-proxy-header"]);
  });
});

test("connections that clients leave at any moment are let go", async () => {
  const leave = (at: "connected" | "half" | "handshake"): Promise<void> =>
    new Promise((resolve) => {
      const options = { host: "127.0.0.1", port: https(), servername: "www.example.test", ca: farm.authority.certificatePem };
      const socket =
        at === "handshake"
          ? connectTls(options, () => socket.end())
          : connectTcp(options, () => socket.end(at === "half" ? "\u0016\u0003" : ""));
      socket.on("error", () => undefined);
      socket.on("close", () => resolve());
      socket.resume();
    });
  const moments = Array.from({ length: 20 }, () => ["connected", "half", "handshake"] as const).flat();
  await Promise.all(moments.map(leave));
  await eventually(
    async () => nodes[0].report().resources.connections,
    (open) => open <= 1, // the node's own proof may be under way
  );
});

describe("session tickets", () => {
  const versions = ["TLSv1.2", "TLSv1.3"] as const;

  test.each(versions)("of %s resume on another node", async (maxVersion) => {
    await eventually(async () => nodes.every((node) => node.report().revision > 0), Boolean);
    const first = await handshake(https(0), { servername: "www.example.test", maxVersion });
    expect(first.session).toBeInstanceOf(Buffer);
    const again = await handshake(https(1), { servername: "www.example.test", maxVersion, session: first.session });
    expect(again).toMatchObject({ resumed: true });
  });

  test.each(versions)("of %s never resume another host, even under one certificate", async (maxVersion) => {
    const first = await handshake(https(0), { servername: "a.shop.example.test", maxVersion });
    const other = await handshake(https(0), { servername: "b.shop.example.test", maxVersion, session: first.session });
    expect(other).toMatchObject({ resumed: false, name: "*.shop.example.test" });
  });
});

describe("client certificates", () => {
  test("a site that requires them serves who has one", async () => {
    const { chainPem, keyPem } = await farm.authority.issue({ names: ["ada.example.test"], client: true });
    expect(await handshake(https(), { servername: "staff.example.test", cert: chainPem, key: keyPem.reveal() })).toMatchObject({
      name: "staff.example.test",
    });
  });

  test.each(["TLSv1.2", "TLSv1.3"] as const)("and over %s never answers who has none", async (maxVersion) => {
    const answer = await new Promise<string>((resolve) => {
      const socket = connectTls({
        host: "127.0.0.1",
        port: https(),
        servername: "staff.example.test",
        maxVersion,
        ca: farm.authority.certificatePem,
      });
      let got = "";
      socket.on("secureConnect", () => socket.write("GET / HTTP/1.1\r\nHost: staff.example.test\r\n\r\n"));
      socket.on("data", (chunk: Buffer) => (got += chunk.toString()));
      socket.on("error", () => undefined);
      socket.on("close", () => resolve(got));
    });
    expect(answer).toBe("");
    const { entries } = await eventually(
      () => ask("web1", "refusals", { after: 0, limit: 1_000 }),
      (all) => all.entries.some((entry) => entry.serverName === "staff.example.test"),
    );
    expect(entries.filter((entry) => entry.serverName === "staff.example.test").map((entry) => entry.reason)).toContain(
      "client-certificate-refused",
    );
  });
});

describe("the self-proof", () => {
  test("proves every host, wildcards and client-certificate sites too, and leaves no trace in counts and journal", async () => {
    const served = nodes[0].report().handshakes.served;
    const { hosts } = await ask("web1", "prove", {});
    expect(hosts.map((proof) => [proof.host, proof.verdict])).toEqual([
      ["www.example.test", "proved"],
      ["*.shop.example.test", "proved"],
      ["modern.example.test", "proved"],
      ["staff.example.test", "proved"],
    ]);
    expect(nodes[0].report().handshakes.served).toBe(served);
  });

  test.each([
    ["the node", "", 200],
    ["a proved host", "?host=www.example.test", 200],
    ["a host that nobody bound but that is served", "?host=unbound.example.test", 200],
    ["a host without a certificate", "?host=nobody.example.test", 503],
    ["something that is no host", "?host=..%2Fx", 400],
  ])("/readyz answers for %s", async (_what, query, status) => {
    expect(
      await eventually(
        () => ready(ports.health[0], query),
        (got) => got === status,
      ),
    ).toBe(status);
  });

  test("a drained node is not ready, and is again afterwards", async () => {
    const drains = createDrains(farm.store);
    await drains.set("web2", "test");
    await eventually(
      () => ready(ports.health[1]),
      (status) => status === 503,
    );
    expect(await ready(ports.health[1], "?host=www.example.test")).toBe(503);
    await drains.unset("web2");
    await eventually(
      () => ready(ports.health[1]),
      (status) => status === 200,
    );
  });
});

describe("the binding table", () => {
  const row = createRow({ key: parseRowKey("ip:127.0.0.1:443"), file: "unbound.example.test.pem", origin: "operator" });

  test("an operator's row that shadows every site is drift, and is mended", async () => {
    expect(await ask("web1", "table.add", { row })).toMatchObject({ kept: false });
    const { rows, drift } = await ask("web1", "table.show", {});
    expect(rows.map((one) => one.key.kind)).toEqual(["central"]);
    expect(drift).toEqual([]);
    expect(await handshake(https(0), { servername: "www.example.test" })).toMatchObject({ name: "www.example.test" });
  });

  test("on a node that observes it stays, serves the wrong certificate, is explained and fails the proof", async () => {
    await farm.apply(yaml("    reconcile: observe\n"));
    await eventually(
      () => ask("web2", "table.show", {}),
      (table) => table.reconcile === "observe",
    );
    await ask("web2", "table.add", { row });
    const { drift } = await ask("web2", "table.show", {});
    expect(drift).toHaveLength(1);
    expect(await handshake(https(1), { servername: "www.example.test", rejectUnauthorized: false })).toMatchObject({
      name: "unbound.example.test",
    });
    const { decision } = await ask("web2", "explain", { serverName: "www.example.test", port: 443 });
    expect(decision).toMatchObject({ kind: "serve", row: { kind: "ip" } });
    await eventually(
      () => ready(ports.health[1], "?host=www.example.test"),
      (status) => status === 503,
    );
    expect(await ready(ports.health[0], "?host=www.example.test")).toBe(200);
    await ask("web2", "table.delete", { key: row.key });
    await eventually(
      () => ready(ports.health[1], "?host=www.example.test"),
      (status) => status === 200,
    );
  });

  test("a revision that does not parse or does not name the node is refused, and the last good one goes on", async () => {
    const good = await ask("web1", "table.show", {});
    await farm.apply(testYaml({ sites: SITES, nodes: [{ name: "web2", https: https(1), health: ports.health[1] ?? 0 }] }));
    await eventually(
      async () => nodes[0].report(),
      (report) => report.revisionProblem !== undefined,
    );
    expect(nodes[0].report().revisionProblem).toContain("does not name the node web1");
    expect((await ask("web1", "table.show", {})).rows).toEqual(good.rows);
    expect(await handshake(https(0), { servername: "www.example.test" })).toMatchObject({ name: "www.example.test" });
    await farm.apply(yaml());
    await eventually(
      async () => nodes[0].report(),
      (report) => report.revisionProblem === undefined,
    );
  });
});

test("a replaced certificate is served to new connections, an open one goes on", async () => {
  const open = connectTls({ host: "127.0.0.1", port: https(), servername: "www.example.test", ca: farm.authority.certificatePem });
  await new Promise((resolve) => open.once("secureConnect", resolve));
  const before = open.getPeerCertificate().fingerprint;
  await farm.certify("www.example.test.pem", { names: ["www.example.test"] });
  const fingerprint = (): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connectTls(
        { host: "127.0.0.1", port: https(), servername: "www.example.test", ca: farm.authority.certificatePem },
        () => {
          resolve(socket.getPeerCertificate().fingerprint);
          socket.destroy();
        },
      );
      socket.on("error", reject);
    });
  await eventually(fingerprint, (now) => now !== before);
  const answer = new Promise<string>((resolve) => open.once("data", (chunk: Buffer) => resolve(chunk.toString())));
  open.write("GET / HTTP/1.1\r\nHost: www.example.test\r\nConnection: close\r\n\r\n");
  expect(await answer).toMatch(/^HTTP\/1\.1 30/);
  open.destroy();
});

test("a node that ends tells health checks before it closes its doors", async () => {
  const ending = await createTestFarm();
  const [door = 0, health = 0] = await freePorts(2);
  await ending.certify("www.example.test.pem", { names: ["www.example.test"] });
  await ending.apply(testYaml({ sites: SITES.slice(0, SITES.indexOf("  - name: tls13")), nodes: [{ name: "web1", https: door, health }] }));
  try {
    const node = await ending.start("web1", { noticeMs: 1_000 });
    await eventually(
      () => ready(health),
      (status) => status === 200,
    );
    const options = { host: "127.0.0.1", port: door, servername: "www.example.test", ca: ending.authority.certificatePem };
    const kept = connectTls({ ...options, ALPNProtocols: ["http/1.1"] });
    await once(kept, "secureConnect");
    const session = connectHttp2("https://www.example.test", { createConnection: () => connectTls({ ...options, ALPNProtocols: ["h2"] }) });
    await once(session, "remoteSettings");
    const goodbye = once(session, "goaway");
    const closed = node.close();
    expect(await ready(health)).toBe(503);
    expect(await goodbye).toEqual([constants.NGHTTP2_NO_ERROR, 2 ** 31 - 1, undefined]);
    const answer = once(kept, "data") as Promise<[Buffer]>;
    kept.write("GET / HTTP/1.1\r\nHost: www.example.test\r\n\r\n");
    expect((await answer)[0].toString("latin1")).toMatch(/^connection: close\r$/im);
    expect(await handshake(door, { servername: "www.example.test", ca: ending.authority.certificatePem })).toMatchObject({
      name: "www.example.test",
    });
    await closed;
    expect(await handshake(door, { servername: "www.example.test" })).toEqual({ error: "ECONNREFUSED" });
    session.destroy();
    kept.destroy();
  } finally {
    await ending.close();
  }
});

test.each(["http/1.1", "h2"])("a client that connected before the node closed its doors is still answered, over %s", async (protocol) => {
  const ending = await createTestFarm();
  const [door = 0, health = 0] = await freePorts(2);
  await ending.certify("www.example.test.pem", { names: ["www.example.test"] });
  await ending.apply(testYaml({ sites: SITES.slice(0, SITES.indexOf("  - name: tls13")), nodes: [{ name: "web1", https: door, health }] }));
  try {
    const node = await ending.start("web1");
    await eventually(
      () => ready(health),
      (status) => status === 200,
    );
    const options = { host: "127.0.0.1", port: door, servername: "www.example.test", ca: ending.authority.certificatePem };
    const socket = connectTls({ ...options, ALPNProtocols: [protocol] });
    await once(socket, "secureConnect");
    const closed = node.close();
    await eventually(
      () => handshake(door, { servername: "www.example.test" }),
      ({ error }) => error === "ECONNREFUSED",
    );
    if (protocol === "h2") {
      const session = connectHttp2("https://www.example.test", { createConnection: () => socket });
      const answer = once(session.request({ ":path": "/", ":authority": "www.example.test" }), "response");
      expect((await answer)[0]).toMatchObject({ ":status": 308 });
    } else {
      const answer = once(socket, "data") as Promise<[Buffer]>;
      socket.write("GET / HTTP/1.1\r\nHost: www.example.test\r\n\r\n");
      expect((await answer)[0].toString("latin1")).toMatch(/^HTTP\/1\.1 308 [^]*^connection: close\r$/im);
    }
    await closed;
  } finally {
    await ending.close();
  }
});

test("with the store gone a node starts from its own copies and serves; a damaged table on its disk is made anew", async () => {
  await nodes[1].close();
  await writeFile(join(farm.root, "web2", "bindings.json"), "{ torn");
  const lost = await createTestFarm();
  await lost.store.close();
  const { startNode } = await import("./start-node.ts");
  const { noPasswords } = await import("../certificates/index.ts");
  const node = await startNode({
    name: "web2",
    store: lost.store,
    dataDir: join(farm.root, "web2"),
    version: "test",
    log: silentLog,
    passwords: noPasswords,
    judge: async () => ({ kind: "accept" }),
    scan: "off",
    drainMs: 100,
  });
  try {
    await node.serving;
    expect(await handshake(https(1), { servername: "www.example.test" })).toMatchObject({ name: "www.example.test" });
    await eventually(
      async () => node.report(),
      (report) => report.staleSince !== undefined,
    );
    const readyz = (): Promise<unknown> => fetch(`http://127.0.0.1:${ports.health[1]}/readyz`).then((answer) => answer.json());
    await eventually(readyz, (body) => {
      const { ready, staleSince } = body as { ready?: boolean; staleSince?: number }; // HealthServer's answer
      return ready === true && staleSince !== undefined;
    });
  } finally {
    await node.close();
    await lost.close();
  }
});
