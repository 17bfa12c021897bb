import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer as createTlsServer, type TlsOptions } from "node:tls";

import { afterAll, beforeAll, describe, expect, it, test } from "vitest";

import { requireHostName, systemClock, type IpAddress } from "../base/index.ts";
import type { ProbeOutcome } from "../doctor/index.ts";
import { probeTls, type ProbeOptions } from "./index.ts";

interface Pair {
  readonly key: string;
  readonly cert: string;
}

let folder: string;
let root: Pair;
let leaf: Pair;
let rsaLeaf: Pair;
const host = requireHostName("www.example.test");
const open: Server[] = [];

const openssl = (...args: string[]): string =>
  execFileSync("openssl", args, { cwd: folder, stdio: ["ignore", "pipe", "ignore"] }).toString();
const file = (name: string): string => readFileSync(join(folder, name), "utf8");

function issue(name: string, algorithm: string[], days = "30"): Pair {
  openssl(
    "req",
    "-new",
    "-nodes",
    "-newkey",
    ...algorithm,
    "-keyout",
    `${name}.key`,
    "-out",
    `${name}.csr`,
    "-subj",
    "/O=Example, Inc./CN=www.example.test",
    "-addext",
    "subjectAltName=DNS:www.example.test,DNS:*.shop.example.test,IP:127.0.0.1",
  );
  openssl(
    "x509",
    "-req",
    "-in",
    `${name}.csr`,
    "-CA",
    "root.pem",
    "-CAkey",
    "root.key",
    "-copy_extensions",
    "copy",
    "-days",
    days,
    "-out",
    `${name}.pem`,
  );
  return { key: file(`${name}.key`), cert: file(`${name}.pem`) + root.cert };
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "probe-"));
  const ec = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
  openssl("req", "-x509", "-newkey", ...ec, "-nodes", "-keyout", "root.key", "-out", "root.pem", "-subj", "/CN=Test Root", "-days", "30");
  root = { key: file("root.key"), cert: file("root.pem") };
  leaf = issue("leaf", ec);
  rsaLeaf = issue("rsa", ["rsa:2048"]);
});

afterAll(() => {
  for (const server of open) server.close();
  rmSync(folder, { recursive: true, force: true });
});

async function listen(server: Server): Promise<number> {
  open.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port; // a TCP server that listens has one
}

const serve = (options: TlsOptions = {}): Promise<number> =>
  listen(
    createTlsServer({ ...leaf, ...options }, (socket) => {
      socket.on("error", () => undefined);
      socket.resume();
    }),
  );

const plain = (behave: (socket: Socket) => void): Promise<number> =>
  listen(
    createTcpServer((socket) => {
      socket.on("error", () => undefined);
      behave(socket);
    }),
  );

const afterHello = (act: (socket: Socket) => void) => (socket: Socket) => void socket.once("data", () => act(socket));

const look = (port: number, options: Partial<ProbeOptions> = {}): Promise<ProbeOutcome> =>
  probeTls({
    target: { address: "127.0.0.1" as IpAddress, port },
    host,
    timeoutMs: 5_000,
    verify: true,
    ca: [root.cert],
    clock: systemClock,
    ...options,
  }).then((observation) => observation.outcome);

async function served(port: number, options: Partial<ProbeOptions> = {}): Promise<Extract<ProbeOutcome, { kind: "served" }>> {
  const outcome = await look(port, options);
  if (outcome.kind !== "served") throw new Error(`not served: ${JSON.stringify(outcome)}`);
  return outcome;
}

describe("a server that answers", () => {
  it("is told with its certificate, chain, protocol and verification", async () => {
    const outcome = await served(await serve({ ALPNProtocols: ["h2", "http/1.1"] }), { alpn: ["http/1.1"] });
    const fingerprint = openssl("x509", "-in", "leaf.pem", "-noout", "-fingerprint", "-sha1").replace(/.*=/, "").replaceAll(":", "").trim();
    expect(outcome).toMatchObject({
      thumbprint: fingerprint,
      subject: "CN=www.example.test,O=Example\\, Inc.",
      issuer: "CN=Test Root",
      dnsNames: ["www.example.test", "*.shop.example.test"],
      chainLength: 2,
      protocol: "TLSv1.3",
      alpn: "http/1.1",
      resumed: false,
      verified: true,
    });
    expect(outcome.sha256).toMatch(/^[0-9A-F]{64}$/);
    expect(outcome.notAfter - outcome.notBefore).toBe(30 * 86_400_000);
  });

  const verdicts: [string, Partial<ProbeOptions>, true | string][] = [
    ["a name that a wildcard covers", { host: requireHostName("a.shop.example.test") }, true],
    ["a name that the certificate lacks", { host: requireHostName("other.test") }, "ERR_TLS_CERT_ALTNAME_INVALID"],
    ["a wildcard asked to cover two labels", { host: requireHostName("a.b.shop.example.test") }, "ERR_TLS_CERT_ALTNAME_INVALID"],
    ["roots that do not know the issuer", { ca: [] }, "SELF_SIGNED_CERT_IN_CHAIN"],
    ["no check asked for", { verify: false }, "NOT_CHECKED"],
  ];
  test.each(verdicts)("verification tells %s", async (_name, options, verified) => {
    expect((await served(await serve(), options)).verified).toBe(verified);
  });

  it("shows its RSA or its ECDSA certificate by the signature algorithms offered", async () => {
    const port = await serve({ key: [leaf.key, rsaLeaf.key], cert: [leaf.cert, rsaLeaf.cert] });
    const ecdsa = await served(port, { sigalgs: "ecdsa_secp256r1_sha256" });
    const rsa = await served(port, { sigalgs: "rsa_pss_rsae_sha256:ecdsa_secp384r1_sha384" });
    expect(ecdsa.thumbprint).not.toBe(rsa.thumbprint);
    expect(rsa.verified).toBe(true);
  });

  it("sees the host as SNI, and none when there is no host", async () => {
    const names: (string | false | undefined)[] = [];
    const server = createTlsServer({ ...leaf }, (socket) => {
      names.push((socket as unknown as { servername: string | false }).servername); // Node sets it, its types lack it
      socket.on("error", () => undefined).resume();
    });
    const port = await listen(server);
    await look(port);
    const { host: _dropped, ...rest } = {
      target: { address: "127.0.0.1" as IpAddress, port },
      host,
      timeoutMs: 5_000,
      verify: false,
      clock: systemClock,
    };
    const observation = await probeTls(rest);
    expect(names).toEqual(["www.example.test", false]);
    expect("host" in observation).toBe(false);
  });

  test.each(["TLSv1.2", "TLSv1.3"] as const)("resumes a session of %s", async (version) => {
    const port = await serve({ sessionIdContext: "test" });
    let session: Buffer | undefined;
    const first = await served(port, { maxVersion: version, onSession: (given) => (session = given) });
    if (session === undefined) throw new Error("no session was handed out");
    const again = await served(port, { maxVersion: version, session });
    expect(again).toMatchObject({ resumed: true, protocol: version, thumbprint: first.thumbprint, verified: true });
  });

  it("counts as served when it wants a client certificate in TLS 1.3, as a refusal in TLS 1.2", async () => {
    const port = await serve({ requestCert: true, rejectUnauthorized: true, ca: root.cert });
    expect((await look(port)).kind).toBe("served");
    expect(await look(port, { maxVersion: "TLSv1.2" })).toEqual({ kind: "alert", alert: "handshake_failure" });
  });

  it("gets an orderly close, not a reset", async () => {
    const errors: Error[] = [];
    const server = createTlsServer({ ...leaf });
    const closed = new Promise<boolean>((resolve) => {
      server.once("secureConnection", (socket) => {
        socket.on("error", (error) => errors.push(error));
        socket.once("end", () => resolve(true));
        socket.resume();
      });
    });
    await look(await listen(server));
    expect(await closed).toBe(true);
    expect(errors).toEqual([]);
  });
});

describe("a server that does not", () => {
  const alert = (number: number) => afterHello((socket) => void socket.end(Buffer.from([0x15, 3, 3, 0, 2, 2, number])));
  const outcomes: [string, (socket: Socket) => void, ProbeOutcome][] = [
    ["unrecognized_name is told by its name", alert(112), { kind: "alert", alert: "unrecognized_name" }],
    ["handshake_failure is told by its name", alert(40), { kind: "alert", alert: "handshake_failure" }],
    ["internal_error is told by its name", alert(80), { kind: "alert", alert: "internal_error" }],
    ["protocol_version is told by its name", alert(70), { kind: "alert", alert: "protocol_version" }],
    ["decode_error is told by its name", alert(50), { kind: "alert", alert: "decode_error" }],
    ["certificate_required is told by its name", alert(116), { kind: "alert", alert: "certificate_required" }],
    ["a reset after the ClientHello is a reset", afterHello((socket) => void socket.resetAndDestroy()), { kind: "reset" }],
    ["a close after the ClientHello is a close", afterHello((socket) => void socket.end()), { kind: "closed" }],
    ["a close before the ClientHello is a close", (socket) => void socket.end(), { kind: "closed" }],
  ];
  test.each(outcomes)("%s", async (_name, behave, expected) => {
    expect(await look(await plain(behave))).toEqual(expected);
  });

  it("plain HTTP on the port is an error that says so", async () => {
    const port = await plain(afterHello((socket) => void socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")));
    expect(await look(port)).toEqual({
      kind: "error",
      code: "ERR_SSL_WRONG_VERSION_NUMBER",
      message: expect.stringMatching(/wrong version number$/),
    });
  });

  it("no listener is refused", async () => {
    const server = createTcpServer();
    const port = await listen(server);
    server.close();
    await once(server, "close");
    expect(await look(port)).toEqual({ kind: "refused" });
  });

  it("silence is a timeout during the handshake, and the socket is gone", async () => {
    let gone: Promise<unknown> | undefined;
    const port = await plain((socket) => {
      socket.resume();
      gone = once(socket, "close");
    });
    expect(await look(port, { timeoutMs: 100 })).toEqual({ kind: "timeout", during: "handshake" });
    await gone;
  });

  it("a failing SNI callback of Node shows as a close", async () => {
    const port = await serve({ SNICallback: (_name, done) => done(new Error("none")) });
    expect(await look(port)).toEqual({ kind: "closed" });
  });

  it("no common protocol shows as its alert", async () => {
    expect(await look(await serve({ ALPNProtocols: ["h2"] }), { alpn: ["spdy/1"] })).toEqual({
      kind: "alert",
      alert: "no_application_protocol",
    });
  });
});

describe("the caller", () => {
  it("can cancel", async () => {
    const controller = new AbortController();
    const port = await plain(afterHello(() => controller.abort()));
    await expect(look(port, { signal: controller.signal })).rejects.toMatchObject({ code: "CANCELLED" });
    await expect(look(port, { signal: controller.signal })).rejects.toMatchObject({ code: "CANCELLED" });
  });

  it("is told of settings that OpenSSL refuses", async () => {
    await expect(look(1, { ciphers: "NONSENSE" })).rejects.toMatchObject({ code: "INTERNAL" });
  });

  it("leaves no handle behind after many probes at once", async () => {
    const server = createTlsServer({ ...leaf }, (socket) => void socket.on("error", () => undefined).resume());
    const port = await listen(server);
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => look(port, { verify: false })));
    expect(outcomes.filter((outcome) => outcome.kind !== "served")).toEqual([]);
    expect(process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap" || name === "TLSWrap").length).toBeLessThan(50);
  });
});
