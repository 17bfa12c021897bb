import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect as connectTcp, createServer, type AddressInfo } from "node:net";

import { afterAll, beforeAll, expect, test } from "vitest";

import { createTestFarm, freePorts, testYaml, type TestFarm } from "./testing/test-node.ts";

const SITES = `  - name: www
    bindings: [https://www.example.test]
    redirect: https://elsewhere.example.test/`;

let farm: TestFarm;
let port = 0;

beforeAll(async () => {
  farm = await createTestFarm();
  const [https = 0, health = 0] = await freePorts(2);
  port = https;
  await farm.certify("www.example.test.pem", { names: ["www.example.test"] });
  await farm.apply(testYaml({ sites: SITES, nodes: [{ name: "web1", https, health }] }));
  const node = await farm.start("web1");
  await node.serving;
});

afterAll(() => farm.close());

/** What OpenSSL's client says when it sends `input` and stays until the server ends the connection. */
async function client(args: readonly string[], input: string, to = port): Promise<string> {
  const child = spawn("openssl", ["s_client", "-connect", `127.0.0.1:${to}`, "-servername", "www.example.test", ...args]);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stdin.on("error", () => undefined); // it may have ended by then
  child.stdin.write(input);
  await once(child, "close", { signal: AbortSignal.timeout(10_000) });
  return output;
}

const GET = "GET / HTTP/1.1\r\nHost: www.example.test\r\nConnection: close\r\n\r\n";

test.each([
  ["a second ClientHello, for another group", ["-tls1_3", "-curves", "P-521:P-256"]],
  [
    "a large one, of many protocols",
    ["-tls1_3", "-alpn", [...Array.from({ length: 60 }, (_, at) => `${"p".repeat(240)}${at}`), "http/1.1"].join(",")],
  ],
  ["TLS 1.2", ["-tls1_2"]],
])("a ClientHello of %s is served", async (_what, args) => {
  expect(await client(args, GET)).toContain("HTTP/1.1 308");
});

/** Sends on what a client says in pieces of one size, each in a packet of its own. */
async function inPieces(size: number): Promise<{ readonly port: number; close(): void }> {
  const server = createServer((from) => {
    const to = connectTcp({ host: "127.0.0.1", port, noDelay: true });
    from.on("error", () => undefined);
    to.on("error", () => undefined);
    to.pipe(from);
    from.on("data", (chunk) => {
      for (let at = 0; at < chunk.length; at += size) to.write(chunk.subarray(at, at + size));
    });
    from.on("close", () => to.destroy());
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return { port: (server.address() as AddressInfo).port, close: () => server.close() }; // a TCP server's address
}

test.each([1, 7, 100])("a ClientHello in pieces of %i octets is served", async (size) => {
  const relay = await inPieces(size);
  expect(await client([], GET, relay.port)).toContain("HTTP/1.1 308");
  relay.close();
});

test("a client of TLS 1.2 cannot negotiate anew", async () => {
  const child = spawn("openssl", ["s_client", "-connect", `127.0.0.1:${port}`, "-servername", "www.example.test", "-tls1_2"]);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  await expect.poll(() => output, { timeout: 5_000 }).toContain("Verify return code");
  child.stdin.write("R\n"); // s_client's word for it
  await expect.poll(() => output, { timeout: 5_000 }).toContain("no renegotiation");
  child.kill();
}, 15_000);

test("no early data is taken", async () => {
  expect(await client(["-tls1_3"], GET)).not.toMatch(/Max Early Data: [1-9]/);
});
