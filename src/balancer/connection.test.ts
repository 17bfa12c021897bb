import { execFile, spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TLSSocket } from "node:tls";
import { promisify } from "node:util";
import { afterEach, describe, expect, it, test } from "vitest";

import { parseIpAddress, type IpAddress } from "../base/index.ts";
import { parseProxyHeader, type ProxyHeaderReading } from "../handshake/index.ts";
import { abort } from "./abort.ts";
import { clientHello } from "./testing/client-hello.ts";
import { Client } from "./testing/client.ts";
import { closeFarms, eventually, keep, openFarm } from "./testing/farm.ts";
import { FakeNode, freePort, LOOPBACK } from "./testing/fake-node.ts";

afterEach(closeFarms);

const run = promisify(execFile);

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "balancer-"));
  keep({ close: () => rm(folder, { recursive: true }) });
  return folder;
}

describe("half-close", () => {
  it("of the client reaches the node, whose answer still reaches the client", async () => {
    const farm = await openFarm({
      nodes: ["web1"],
      behaviour: (socket) => {
        let octets = 0;
        socket.on("data", (chunk: Buffer) => (octets += chunk.length));
        socket.on("end", () => socket.end(`got ${octets}`));
      },
    });
    const client = new Client(farm.httpPort);
    client.socket.end("x".repeat(1000));
    await client.gone();
    expect(client.text).toBe("got 1000");
    await eventually(() => farm.balancer.state().connections.active === 0 && farm.balancer.state().nodes[0]?.connections === 0);
  });

  it("of the node reaches the client, whose octets still reach the node", async () => {
    let received = "";
    const farm = await openFarm({
      nodes: ["web1"],
      behaviour: (socket) => {
        socket.end("bye");
        socket.on("data", (chunk: Buffer) => (received += chunk.toString()));
      },
    });
    const client = keep(new Client(farm.httpPort));
    await client.until(() => client.ended);
    expect(client.text).toBe("bye");
    client.socket.end("after your end");
    await client.gone();
    await eventually(() => received === "after your end");
  });
});

describe("back-pressure", () => {
  const CHUNK = Buffer.alloc(65_536, "d");
  const TOTAL = 1024 * CHUNK.length;

  /** Writes TOTAL octets as fast as the other side takes them. */
  function pour(socket: Socket): void {
    let left = TOTAL;
    const more = (): void => {
      while (left > 0) {
        left -= CHUNK.length;
        if (left <= 0) socket.end(CHUNK);
        else if (!socket.write(CHUNK)) return void socket.once("drain", more);
      }
    };
    more();
  }

  /** Settles when a socket's peer takes nothing any longer. */
  async function stalled(socket: Socket): Promise<void> {
    let [last, since] = [-1, 0];
    await eventually(() => {
      const taken = socket.bytesWritten - socket.writableLength;
      if (taken !== last) [last, since] = [taken, Date.now()];
      return taken > 0 && Date.now() - since > 150;
    }, 15_000);
  }

  // A TCP check sends nothing, so the first octets tell the client's connection.
  it("of a client that does not read stops the node, and everything arrives when it reads again", async () => {
    let source: Socket | undefined;
    const farm = await openFarm({
      nodes: ["web1"],
      behaviour: (socket) =>
        void socket.once("data", () => {
          source = socket;
          pour(socket);
        }),
    });
    const client = keep(new Client(farm.httpPort));
    client.socket.pause();
    client.socket.write("go");
    await eventually(() => source !== undefined);
    if (source === undefined) throw new Error("the node has the connection");
    const before = process.memoryUsage().arrayBuffers;
    await stalled(source);
    expect(source.writableFinished).toBe(false);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 1024 * 1024);
    let octets = 0;
    client.socket.removeAllListeners("data");
    client.socket.on("data", (chunk: Buffer) => (octets += chunk.length));
    client.socket.resume();
    await client.until(() => client.ended);
    expect(octets).toBe(TOTAL);
  });

  it("of a node that does not read stops the client, and everything arrives when it reads again", async () => {
    let sink: Socket | undefined;
    let octets = 0;
    const farm = await openFarm({
      nodes: ["web1"],
      behaviour: (socket) =>
        void socket.once("data", (chunk: Buffer) => {
          octets = chunk.length;
          sink = socket.pause();
        }),
    });
    const client = keep(new Client(farm.httpPort));
    pour(client.socket);
    await stalled(client.socket);
    expect(client.socket.writableFinished).toBe(false);
    sink?.on("data", (chunk: Buffer) => (octets += chunk.length));
    sink?.resume();
    await eventually(() => octets === TOTAL, 15_000);
  });
});

describe("a reset", () => {
  it("of the client reaches the node as a reset", async () => {
    let code: unknown;
    const farm = await openFarm({
      nodes: ["web1"],
      behaviour: (socket) => {
        socket.write("hello:");
        socket.on("error", (error: NodeJS.ErrnoException) => (code = error.code));
      },
    });
    const client = new Client(farm.httpPort);
    await client.greeting();
    abort(client.socket);
    await eventually(() => code === "ECONNRESET");
    await eventually(() => farm.balancer.state().connections.active === 0);
  });

  it("of the node reaches the client as a reset, after what the node said before", async () => {
    const farm = await openFarm({ nodes: ["web1"], behaviour: (socket) => void socket.write("last words") });
    const client = new Client(farm.httpPort);
    await client.until(() => client.text === "last words");
    for (const socket of farm.nodes[0]?.sockets ?? []) abort(socket);
    await client.gone();
    expect([client.text, client.error]).toEqual(["last words", "ECONNRESET"]);
    await eventually(() => farm.balancer.state().connections.active === 0);
  });

  it("of the client while its node is being dialled leaves nothing behind", async () => {
    const farm = await openFarm({ nodes: ["web1"] });
    for (let index = 0; index < 20; index++) {
      const client = new Client(farm.port);
      client.socket.write(clientHello(undefined), () => abort(client.socket));
      await client.gone();
    }
    await eventually(() => farm.balancer.state().connections.active === 0 && farm.balancer.state().nodes[0]?.connections === 0);
    await eventually(() => farm.nodes[0]?.sockets.size === 0);
  });
});

describe("time-outs", () => {
  it("end a connection on which nothing moves, and not one on which something does", async () => {
    const farm = await openFarm({ nodes: ["web1"], config: { idleTimeoutMs: 1500 } });
    const [idle, busy] = [keep(new Client(farm.httpPort)), keep(new Client(farm.httpPort))];
    const beat = setInterval(() => busy.socket.write("."), 200);
    await idle.greeting();
    await idle.until(() => idle.ended);
    clearInterval(beat);
    expect(busy.ended).toBe(false);
    await eventually(() => farm.nodes[0]?.sockets.size === 1);
  });

  it("pass on to the next node when one does not answer the connection", async () => {
    const deaf = spawn(process.execPath, [
      "-e",
      'require("net").createServer().listen({ port: 0, host: "127.0.0.1", backlog: 1 }, function () { console.log(this.address().port) })',
    ]);
    keep({ close: async () => deaf.kill("SIGKILL") });
    const port = await new Promise<number>((resolve) => void deaf.stdout.once("data", (text: Buffer) => resolve(Number(text))));
    const farm = await openFarm({
      config: { connectTimeoutMs: 300 },
      tuning: { pollIntervalMs: 60_000, ejectMs: 60_000 },
      row: (node) =>
        node.name === "web1"
          ? {
              ports: new Map([
                [80, port],
                [443, port],
              ]),
            }
          : {},
    });
    deaf.kill("SIGSTOP");
    const fillers = Array.from({ length: 4 }, () => keep(new Client(port)));
    await fillers[0]?.until((client) => !client.socket.connecting || client.closed);
    const clients = [keep(new Client(farm.httpPort)), keep(new Client(farm.httpPort))];
    for (const client of clients) expect(await client.greeting()).toBe("web2");
    expect(farm.balancer.state().nodes[0]?.totals).toMatchObject({ connections: 0, connectFailures: 1, ejections: 1 });
  });
});

describe("the PROXY header", () => {
  /** Opens a balancer that sends PROXY headers to a node that reads them. */
  async function seenBy(
    address: string,
    port: (farm: Awaited<ReturnType<typeof openFarm>>) => number,
  ): Promise<{ header: ProxyHeaderReading; client: Client; farm: Awaited<ReturnType<typeof openFarm>> }> {
    const headers: ProxyHeaderReading[] = [];
    const farm = await openFarm({
      nodes: ["web1"],
      config: { proxyProtocol: true, addresses: [parseIpAddress(address) as IpAddress] }, // a literal
      behaviour: (socket) =>
        void socket.once("data", (chunk: Buffer) => {
          const header = parseProxyHeader(chunk);
          if (header.kind === "header" && header.local) return;
          headers.push(header);
          socket.end(Buffer.concat([Buffer.from("web1:"), chunk.subarray(header.kind === "header" ? header.length : 0)]));
        }),
    });
    const client = keep(new Client(port(farm), address === "::" || address === "::1" ? "::1" : "127.0.0.1"));
    client.socket.write(clientHello("www.example.com"));
    await client.until(() => client.ended);
    return { header: headers[0] ?? { kind: "none" }, client, farm };
  }

  test.each([
    ["an IPv4 listener", "127.0.0.1", "127.0.0.1"],
    ["an IPv4 wildcard listener", "0.0.0.0", "127.0.0.1"],
    ["an IPv6 listener in front of an IPv4 node", "::1", "::1"],
    ["an IPv6 wildcard listener", "::", "::1"],
  ])("names the client's real address and family on %s, and the ClientHello follows it", async (_name, listener, seen) => {
    const { header, client, farm } = await seenBy(listener, (farm) => farm.port);
    expect(header).toMatchObject({
      kind: "header",
      source: { address: seen, port: client.localPort },
      destination: { address: seen, port: farm.port },
      local: false,
    });
    expect(client.received.subarray(5)).toEqual(clientHello("www.example.com"));
  });

  it("is taken by HAProxy, which reports the client's address", async () => {
    const [folder, port] = [await temporaryFolder(), await freePort()];
    const config = join(folder, "haproxy.cfg");
    await writeFile(
      config,
      `defaults
 mode http
 timeout client 5s
 timeout connect 5s
 timeout server 5s
frontend f
 bind 127.0.0.1:${port} accept-proxy
 http-request return status 200 content-type text/plain lf-string "client %ci %cp"
`,
    );
    const haproxy = spawn("haproxy", ["-db", "-f", config], { stdio: "ignore" });
    keep({ close: async () => haproxy.kill() });
    await new Promise<void>((resolve, reject) => {
      haproxy.on("error", reject);
      const look = async (): Promise<void> => {
        const probe = new Client(port);
        const up = await probe
          .until(() => !probe.socket.connecting || probe.closed)
          .then(
            () => !probe.closed,
            () => false,
          );
        probe.socket.destroy();
        if (up) resolve();
        else setTimeout(() => void look(), 20);
      };
      void look();
    });
    const farm = await openFarm({
      nodes: ["web1"],
      config: { proxyProtocol: true },
      row: () => ({
        ports: new Map([
          [80, port],
          [443, port],
        ]),
      }),
    });
    const client = keep(new Client(farm.httpPort));
    client.socket.write("GET / HTTP/1.1\r\nHost: www.example.com\r\nConnection: close\r\n\r\n");
    await client.until(() => client.ended);
    expect(client.text).toContain(`client 127.0.0.1 ${client.localPort}`);
  });
});

it("a TLS handshake of OpenSSL goes through to the node that proved the name", async () => {
  const folder = await temporaryFolder();
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const subject = ["-subj", "/CN=www.example.com", "-addext", "subjectAltName=DNS:www.example.com"];
  await run("openssl", [
    "req",
    "-x509",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-nodes",
    "-keyout",
    key,
    "-out",
    cert,
    ...subject,
  ]);
  const credentials = { key: await readFile(key), cert: await readFile(cert) };
  const farm = await openFarm({
    behaviour: (socket, node) =>
      void new TLSSocket(socket, { isServer: true, ...credentials }).on("error", () => socket.destroy()).end(`I am ${node.name}\n`),
    prepare: ([, web2]) => void web2?.proved.add("www.example.com"),
  });
  for (let index = 0; index < 3; index++) {
    const client = run("openssl", [
      "s_client",
      "-quiet",
      "-connect",
      `127.0.0.1:${farm.port}`,
      "-servername",
      "www.example.com",
      "-CAfile",
      cert,
      "-verify_return_error",
    ]);
    client.child.stdin?.end();
    expect((await client).stdout).toBe("I am web2\n");
  }
});

it("least connections and source address are followed end to end", async () => {
  const least = await openFarm({ nodes: ["web1", "web2", "web3"], config: { mode: "least-connections" } });
  const names = new Set<string>();
  for (let index = 0; index < 3; index++) names.add(await keep(new Client(least.httpPort)).greeting());
  expect(names.size).toBe(3);
  const source = await openFarm({ nodes: ["web1", "web2", "web3"], config: { mode: "source" } });
  const same = new Set<string>();
  for (let index = 0; index < 6; index++) same.add(await keep(new Client(source.httpPort)).greeting());
  expect(same.size).toBe(1);
});

it("a node on an IPv6 address is dialled there", async () => {
  const node = keep(await FakeNode.open("web6", { address: "::1" }));
  const six = parseIpAddress("::1") as IpAddress; // a literal
  const farm = await openFarm({ nodes: [] });
  await farm.balancer.apply({
    ...farm.settings,
    nodes: [node.config({ addresses: [six], health: { address: LOOPBACK, port: node.healthPort } })],
  });
  expect(await keep(new Client(farm.httpPort)).greeting()).toBe("web6");
});
