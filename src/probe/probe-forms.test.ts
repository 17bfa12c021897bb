import { once } from "node:events";
import { createServer as createTlsServer } from "node:tls";

import { afterAll, beforeAll, describe, expect, it, test } from "vitest";

import { requireHostName, systemClock, type Endpoint } from "../base/index.ts";
import type { Observation } from "../doctor/index.ts";
import { parseProxyHeader } from "../handshake/index.ts";
import { clientForm } from "./client-kinds.ts";
import { probeTls, type ProbeOptions } from "./index.ts";
import { proxyHeader } from "./proxy-header.ts";
import { SeenCertificates } from "./seen-certificates.ts";
import { TestServers, type TestPair } from "./testing/test-servers.ts";

const host = requireHostName("www.example.test");
let servers: TestServers;
let pair: TestPair;
let rsa: TestPair;

beforeAll(async () => {
  servers = await TestServers.start();
  pair = await servers.issue(["www.example.test"]);
  rsa = await servers.issue(["www.example.test"], { keyType: "rsa" });
});
afterAll(() => servers.close());

const probe = (target: Endpoint, options: Partial<ProbeOptions> = {}): Promise<Observation> =>
  probeTls({ target, host, timeoutMs: 5_000, verify: true, ca: [servers.root], clock: systemClock, ...options });

const chainOf = ({ outcome }: Observation) => (outcome.kind === "served" ? (outcome.chain ?? []) : expect.fail(JSON.stringify(outcome)));

describe("the chain", () => {
  it("is told as it was sent, leaf first, with what each certificate says", async () => {
    const chain = chainOf(await probe(await servers.tls(pair)));
    expect(chain).toMatchObject([
      { subject: "CN=www.example.test", issuer: "CN=Probe Test Root Intermediate", keyName: "P-256", isCa: false, selfSigned: false },
      { subject: "CN=Probe Test Root Intermediate", issuer: "CN=Probe Test Root", isCa: true, dnsNames: [] },
    ]);
    expect(chain[0]).toMatchObject({ dnsNames: ["www.example.test"], signatureAlgorithm: "ecdsa-with-SHA256" });
  });

  it("is told with certificates that do not belong to it, and without those that lack", async () => {
    const [leaf = "", intermediate = ""] = pair.cert.split(/(?<=-----END CERTIFICATE-----\n)/);
    const strange = await probe(await servers.tls({ key: pair.key, cert: leaf + servers.root + intermediate }));
    expect(chainOf(strange).map(({ subject }) => subject)).toEqual([
      "CN=www.example.test",
      "CN=Probe Test Root",
      "CN=Probe Test Root Intermediate",
    ]);
    expect(strange.outcome).toMatchObject({ verified: true, chainLength: 3 });
    const alone = await probe(await servers.tls({ key: pair.key, cert: leaf }));
    expect(alone.outcome).toMatchObject({ chainLength: 1, verified: "UNABLE_TO_VERIFY_LEAF_SIGNATURE" });
  });

  it("is the same objects for the same certificates", async () => {
    const certificates = new SeenCertificates(100);
    const [one, other] = [
      chainOf(await probe(await servers.tls(pair), { certificates })),
      chainOf(await probe(await servers.tls(rsa), { certificates })),
    ];
    expect(other[1]).toBe(one[1]);
    expect(other[0]).not.toBe(one[0]);
    expect(other[0]?.keyName).toBe("RSA 2048");
  });
});

describe("what is sent", () => {
  const sniOf = async (options: Partial<ProbeOptions>): Promise<string | undefined> => {
    let seen: string | undefined;
    const server = createTlsServer({ ...pair, SNICallback: (name, done) => done(null, ((seen = name), undefined)) });
    server.on("secureConnection", (socket) => void socket.on("error", () => undefined).resume());
    await probe(await servers.listen(server), options);
    return seen;
  };

  it("is the server name as it stands, with its dot at the end", async () => {
    expect(await sniOf({ serverName: "www.example.test." })).toBe("www.example.test.");
    expect(await sniOf({})).toBe("www.example.test");
  });

  test.each([
    ["a client of RSA leaves only", "rsa", "RSA 2048"],
    ["a client of ECDSA leaves only", "ecdsa", "P-256"],
  ] as const)("%s gets that one, in TLS 1.3 and 1.2", async (_name, kind, keyName) => {
    const both = await servers.tls({ key: [pair.key, rsa.key], cert: [pair.cert, rsa.cert] });
    const only = await servers.tls(kind === "rsa" ? pair : rsa);
    for (const maxVersion of ["TLSv1.3", "TLSv1.2"] as const) {
      const seen = await probe(both, { ...clientForm(kind), maxVersion });
      expect(seen.outcome).toMatchObject({ protocol: maxVersion, verified: true });
      expect(chainOf(seen)[0]?.keyName).toBe(keyName);
      expect((await probe(only, { ...clientForm(kind), maxVersion })).outcome).toEqual({ kind: "alert", alert: "handshake_failure" });
    }
  });

  test.each([
    ["tls12", "TLSv1.2"],
    ["tls13", "TLSv1.3"],
  ] as const)("a client of %s alone", async (kind, protocol) => {
    const [both, old] = [await servers.tls(pair), await servers.tls({ ...pair, maxVersion: "TLSv1.2" })];
    expect((await probe(both, clientForm(kind))).outcome).toMatchObject({ protocol });
    expect((await probe(old, clientForm(kind))).outcome).toMatchObject(
      kind === "tls12" ? { protocol } : { kind: "alert", alert: "protocol_version" },
    );
  });

  it("asks for a stapled OCSP response and tells whether one came", async () => {
    const server = createTlsServer(pair, (socket) => void socket.on("error", () => undefined).resume());
    server.on("OCSPRequest", (_certificate, _issuer, done) => done(null, Buffer.from("a response")));
    expect((await probe(await servers.listen(server), { staple: true })).outcome).toMatchObject({ stapled: true });
    const bare = await servers.tls(pair);
    expect((await probe(bare, { staple: true })).outcome).toMatchObject({ stapled: false });
    expect((await probe(bare)).outcome).not.toHaveProperty("stapled");
  });
});

describe("a PROXY header before the ClientHello", () => {
  it("lets a server that wants one serve", async () => {
    const target = await servers.behindProxyHeader(pair);
    expect((await probe(target)).outcome).toEqual({ kind: "closed" });
    const seen = await probe(target, { proxyHeader: 1 });
    expect(seen.outcome).toMatchObject({ kind: "served", verified: true });
    expect(seen.proxyHeader).toBe(1);
  });

  test.each([1, 2] as const)("of version %s is as its specification says", (version) => {
    const [source, target] = [
      { address: "::1", port: 40_000 },
      { address: "2001:db8::4", port: 443 },
    ] as unknown as [Endpoint, Endpoint];
    const octets = proxyHeader(version, source, target);
    expect(parseProxyHeader(Buffer.concat([octets, Buffer.from([0x16, 3, 1])]))).toEqual({
      kind: "header",
      ...(version === 1 ? { source, destination: target } : {}),
      local: version === 2,
      length: octets.length,
    });
  });

  it("is told as refused or closed like any other failure", async () => {
    expect((await probe(await servers.nobody(), { proxyHeader: 1 })).outcome).toEqual({ kind: "refused" });
    expect((await probe(await servers.raw((socket) => void socket.once("data", () => socket.end())), { proxyHeader: 2 })).outcome).toEqual({
      kind: "closed",
    });
    expect(
      (await probe(await servers.raw((socket) => void socket.once("data", () => socket.resetAndDestroy())), { proxyHeader: 1 })).outcome,
    ).toEqual({
      kind: "reset",
    });
    expect((await probe(await servers.raw((socket) => void socket.resume()), { proxyHeader: 1, timeoutMs: 100 })).outcome).toEqual({
      kind: "timeout",
      during: "handshake",
    });
  });
});

describe("an answer that is not TLS", () => {
  const answers: [string, string, "http" | "other" | undefined][] = [
    ["plain HTTP", "HTTP/1.1 400 Bad Request\r\n\r\n", "http"],
    ["a page without a head", "<html><body>Bad Request</body></html>", "http"],
    ["a banner of SSH", "SSH-2.0-OpenSSH_9.2\r\n", "other"],
    ["a greeting of SMTP", "220 mail.example.test ESMTP\r\n", "other"],
    ["a record of TLS that is broken", "\u0016\u0003\u0003\u0000\u0004abcd", undefined],
  ];
  test.each(answers)("%s is told by its first octets", async (_name, text, speaks) => {
    const target = await servers.raw((socket) => void socket.once("data", () => socket.end(text, "latin1")));
    const { outcome } = await probe(target, { firstOctets: true });
    expect(outcome.kind).toBe("error");
    expect(outcome).toHaveProperty("code", expect.stringMatching(/^ERR_SSL_/));
    expect("speaks" in outcome ? outcome.speaks : undefined).toBe(speaks);
  });

  it("is asked for with the same ClientHello, once more", async () => {
    const hellos: Buffer[] = [];
    const target = await servers.raw((socket) => {
      socket.once("data", (hello) => {
        hellos.push(hello);
        socket.end("HTTP/1.1 400 Bad Request\r\n\r\n");
      });
    });
    await probe(target, { firstOctets: true });
    expect(hellos).toHaveLength(2);
    expect(hellos.every((hello) => hello[0] === 0x16 && hello.includes("www.example.test"))).toBe(true);
  });

  it("does not keep a probe beyond its time", async () => {
    let dials = 0;
    const target = await servers.raw((socket) => {
      dials += 1;
      if (dials === 1) socket.once("data", () => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
      else socket.resume();
    });
    const { outcome } = await probe(target, { firstOctets: true, timeoutMs: 200 });
    expect(outcome).not.toHaveProperty("speaks");
    expect(dials).toBe(2);
  });
});

it("reaches an IPv6 address", async () => {
  const server = createTlsServer(pair, (socket) => void socket.on("error", () => undefined).resume());
  const target = await servers.listen(server, "::1");
  expect((await probe(target)).outcome).toMatchObject({ kind: "served", verified: true });
  server.close();
  await once(server, "close");
});
