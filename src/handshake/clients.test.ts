import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";

import { afterAll, beforeAll, expect, it, test } from "vitest";

import { alertRecord, ALERTS } from "./alert.ts";
import { describeHello } from "./describe-hello.ts";
import { readHello } from "./read-hello.ts";
import type { AlertName, ClientHello } from "./types.ts";

/** What the next connection is answered with after its hello. */
let alert: AlertName = "unrecognized_name";
const hellos: (ClientHello | string)[] = [];
const server = createServer(serve);

/** Reads a real client's hello as a node would, and refuses it. */
function serve(socket: Socket): void {
  let bytes = Buffer.alloc(0);
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk) => {
    bytes = Buffer.concat([bytes, chunk]);
    const reading = readHello(bytes);
    if (reading.kind === "incomplete") return;
    hellos.push(reading.kind === "hello" ? reading.hello : JSON.stringify(reading));
    socket.end(alertRecord(alert));
  });
}

beforeAll(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});

afterAll(async () => {
  server.close();
  await once(server, "close");
});

const port = (): number => (server.address() as AddressInfo).port; // listens on TCP

/** Runs a client to its end and returns the hello it sent and everything it printed. */
async function run(command: string, args: readonly string[]): Promise<{ readonly hello: ClientHello; readonly output: string }> {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  await once(child, "close");
  return { hello: lastHello(), output };
}

function lastHello(): ClientHello {
  const last = hellos.pop();
  if (last === undefined || typeof last === "string") throw new Error(`no hello came, but ${last ?? "nothing"}`);
  return last;
}

/** Connects with Node's own client; resolves to the error that the refusal makes. */
async function connectNode(options: ConnectionOptions): Promise<{ readonly hello: ClientHello; readonly code: string | undefined }> {
  const socket: TLSSocket = connect({ host: "127.0.0.1", port: port(), rejectUnauthorized: false, ...options });
  const [error] = (await once(socket, "error")) as [NodeJS.ErrnoException]; // the event's one argument
  return { hello: lastHello(), code: error.code };
}

it("reads the hello of openssl s_client with a name, ALPN and TLS 1.3", async () => {
  const args = [
    "s_client",
    "-connect",
    `127.0.0.1:${port()}`,
    "-servername",
    "www.example.com",
    "-alpn",
    "h2,http/1.1",
    "-min_protocol",
    "TLSv1.2",
  ];
  const { hello, output } = await run("openssl", args);
  expect(hello.serverName).toEqual({ kind: "name", host: "www.example.com" });
  expect(describeHello(hello)).toEqual({ versions: ["TLS 1.3", "TLS 1.2"], alpn: ["h2", "http/1.1"] });
  expect(hello.signatureAlgorithms).toContain(0x0403);
  expect(output).toContain(`SSL alert number ${ALERTS.unrecognized_name}`);
});

it("reads the hello of openssl s_client without a name, TLS 1.2 only", async () => {
  const { hello } = await run("openssl", ["s_client", "-connect", `127.0.0.1:${port()}`, "-noservername", "-tls1_2"]);
  expect(hello.serverName).toEqual({ kind: "absent" });
  expect(describeHello(hello)).toEqual({ versions: ["TLS 1.2"], alpn: [] });
});

it("reads the hello of curl", async () => {
  const { hello, output } = await run("curl", [
    "-skv",
    "--resolve",
    `www.example.com:${port()}:127.0.0.1`,
    `https://www.example.com:${port()}/`,
  ]);
  expect(hello.serverName).toEqual({ kind: "name", host: "www.example.com" });
  expect(hello.alpn).toContain("http/1.1");
  expect(output).toMatch(/unrecognized name/i);
});

it("reads the hello of Node", async () => {
  const { hello, code } = await connectNode({ servername: "www.example.com", ALPNProtocols: ["http/1.1"] });
  expect(hello).toMatchObject({ serverName: { kind: "name", host: "www.example.com" }, alpn: ["http/1.1"] });
  expect(code).toBe("ERR_SSL_TLSV1_UNRECOGNIZED_NAME");
});

test.each<[AlertName, string]>([
  ["unrecognized_name", "ERR_SSL_TLSV1_UNRECOGNIZED_NAME"],
  ["decode_error", "ERR_SSL_TLSV1_ALERT_DECODE_ERROR"],
  ["internal_error", "ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR"],
  ["handshake_failure", "ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE"],
  ["unexpected_message", "ERR_SSL_SSLV3_ALERT_UNEXPECTED_MESSAGE"],
])("the alert %s reaches clients of TLS 1.2 and 1.3 as what it is", async (name, code) => {
  alert = name;
  for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
    const outcome = await connectNode({ servername: "www.example.com", maxVersion });
    expect(outcome.code).toBe(code);
  }
  alert = "unrecognized_name";
});

it("makes alerts of seven octets", () => {
  expect([...alertRecord("unrecognized_name")]).toEqual([21, 3, 3, 0, 2, 2, 112]);
});

it("describes hellos for the journal without GREASE, escapes and long lists", () => {
  const hello: ClientHello = {
    serverName: { kind: "absent" },
    versions: [0x2a2a, 0x0304, 0x0300, 0x0a1a, 0x7f1c],
    alpn: ["\x0a\x0a", "h2", "\x1b[1m", ...Array.from({ length: 20 }, (_, at) => `p${at}`)],
    cipherSuites: [],
    signatureAlgorithms: [],
    length: 100,
  };
  expect(describeHello(hello)).toEqual({
    versions: ["TLS 1.3", "SSL 3.0", "0x0a1a", "0x7f1c"],
    alpn: ["h2", "\\x1b[1m", "p0", "p1", "p2", "p3", "p4", "p5", "…"],
  });
});
