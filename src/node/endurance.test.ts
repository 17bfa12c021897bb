import { once } from "node:events";
import { connect as connectH2 } from "node:http2";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import type { Node } from "./start-node.ts";
import { createTestFarm, freePorts, testYaml, type TestFarm } from "./testing/test-node.ts";

const SITES = `  - name: www
    bindings: [https://www.example.test, http://www.example.test]
    redirect: https://elsewhere.example.test/
    tls: { alpn: [h2, http/1.1] }`;

let farm: TestFarm;
let node: Node;
let ports: { readonly https: number; readonly plain: number; readonly health: number };

beforeAll(async () => {
  farm = await createTestFarm();
  const [https = 0, plain = 0, health = 0] = await freePorts(3);
  ports = { https, plain, health };
  await farm.certify("www.example.test.pem", { names: ["www.example.test"] });
  await farm.apply(
    testYaml({ sites: SITES, nodes: [{ name: "web1", https, health }] })
      .replace(`443: ${https}`, `443: ${https}, 80: ${plain}`)
      .replace("sites:", "balancer: { address: 127.0.0.2, proxyProtocol: true, trustedBy: [127.0.0.1] }\nsites:")
      .replace("handshakeTimeout: 1s", "handshakeTimeout: 1s, headersTimeout: 1s"),
  );
  node = await farm.start("web1");
  await node.serving;
});

afterAll(() => farm.close());

const tcp = async (port: number): Promise<Socket> => {
  const socket = connectTcp({ host: "127.0.0.1", port });
  socket.on("error", () => undefined);
  await once(socket, "connect");
  return socket;
};

/** What TLS runs over, by secure socket: only a TCP socket can be reset. */
const below = new WeakMap<Socket, Socket>();

const tls = async (alpn = "http/1.1"): Promise<TLSSocket> => {
  const raw = await tcp(ports.https);
  const socket = connectTls({ socket: raw, servername: "www.example.test", ca: farm.authority.certificatePem, ALPNProtocols: [alpn] });
  below.set(socket, raw);
  socket.on("error", () => undefined);
  await once(socket, "secureConnect");
  return socket;
};

const connections = (): number => node.report().resources.connections;
/** Connections of the node's own proofs come and go. */
const untilNone = (timeout = 4_000): Promise<void> => expect.poll(connections, { timeout, interval: 20 }).toBe(0);

const HALF_HELLO = Buffer.from("16030100c8010000c40303", "hex");

describe("connections that are dropped", () => {
  const stages: readonly (readonly [string, () => Promise<Socket>])[] = [
    ["before their first octet", () => tcp(ports.https)],
    [
      "after half a ClientHello",
      async () => {
        const socket = await tcp(ports.https);
        socket.write(HALF_HELLO);
        return socket;
      },
    ],
    ["after the handshake", () => tls()],
    ["after the handshake of HTTP/2", () => tls("h2")],
    [
      "in the middle of a request",
      async () => {
        const socket = await tls();
        socket.write("GET / HTTP/1.1\r\nHost: www.exa");
        return socket;
      },
    ],
    ["before their first octet on the plain port", () => tcp(ports.plain)],
    [
      "in the middle of a PROXY header on the plain port",
      async () => {
        const socket = await tcp(ports.plain);
        socket.write("PROXY TC");
        return socket;
      },
    ],
  ];

  test.each(stages)(
    "%s leave nothing behind, whether they are reset or closed in order",
    async (_stage, open) => {
      for (const leave of ["resetAndDestroy", "destroy", "end"] as const) {
        const sockets = await Promise.all(Array.from({ length: 20 }, open));
        for (const socket of sockets) {
          if (leave === "resetAndDestroy") (below.get(socket) ?? socket).resetAndDestroy();
          else socket[leave]();
          if (leave === "end") socket.resume();
        }
        await untilNone();
        for (const socket of sockets) socket.destroy();
      }
    },
    20_000,
  );

  test("five hundred times over cost no memory that stays", async () => {
    const round = async (): Promise<void> => {
      for (let left = 10; left > 0; left -= 1) {
        const sockets = await Promise.all([
          ...Array.from({ length: 25 }, () => tcp(ports.https)),
          ...Array.from({ length: 25 }, () => tls()),
        ]);
        for (const socket of sockets) socket.destroy();
      }
      await untilNone();
    };
    await round(); // what is made once
    const before = process.memoryUsage().heapUsed;
    await round();
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(60_000_000);
  }, 30_000);
});

describe("clients that will not go", () => {
  test("a refused one that goes on sending is cut off", async () => {
    const socket = await tcp(ports.https);
    socket.write("garbage\r\n\r\n");
    const dribble = setInterval(() => socket.write("x"), 50);
    socket.resume();
    await once(socket, "close", { signal: AbortSignal.timeout(3_000) });
    clearInterval(dribble);
    await untilNone();
  });

  test("one that dribbles a PROXY header on the plain port is cut off", async () => {
    const socket = await tcp(ports.plain);
    const header = "PROXY TCP4 192.0.2.1 192.0.2.2 1 2".split("");
    const dribble = setInterval(() => socket.write(header.shift() ?? "x"), 200);
    socket.resume();
    await once(socket, "close", { signal: AbortSignal.timeout(3_000) });
    clearInterval(dribble);
  });

  test("one that never ends its header fields gets 408", async () => {
    const socket = await tls();
    socket.write("GET / HTTP/1.1\r\nHost: www.example.test\r\nX-Slow: ");
    const dribble = setInterval(() => socket.write("x"), 100);
    const [answer] = (await once(socket, "data", { signal: AbortSignal.timeout(5_000) })) as [Buffer];
    clearInterval(dribble);
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 408 /);
    socket.destroy();
  });
});

describe("the health port", () => {
  const ask = (path: string): Promise<number> => fetch(`http://127.0.0.1:${ports.health}${path}`).then((answer) => answer.status);

  test("answers many names that nobody serves without pushing out what it knows", async () => {
    const since = (await (await fetch(`http://127.0.0.1:${ports.health}/proofs`)).json()) as { readonly generation: number };
    const statuses = await Promise.all(Array.from({ length: 300 }, (_, at) => ask(`/readyz?host=n${at}.nobody.test`)));
    expect(statuses.filter((status) => status !== 503 && status !== 429)).toEqual([]);
    expect(await ask("/readyz?host=www.example.test")).toBe(200);
    expect(await ask("/readyz?host=www.example.test&port=9")).toBe(503);
    const after = (await (await fetch(`http://127.0.0.1:${ports.health}/proofs?since=${since.generation}`)).json()) as {
      readonly changes: [];
    };
    expect(after.changes).toEqual([]);
  });

  test("refuses addresses that are none", async () => {
    const socket = await tcp(ports.health);
    socket.write("GET //:x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    const [answer] = (await once(socket, "data")) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 400 /);
  });
});

test("at the end who just connected gets an answer, idle connections are closed, and nothing listens any longer", async () => {
  const idle = await tls();
  idle.write("GET / HTTP/1.1\r\nHost: www.example.test\r\n\r\n");
  expect(String((await once(idle, "data"))[0])).toMatch(/^HTTP\/1\.1 30/);
  const fresh = await tls();
  const session = connectH2("https://www.example.test", {
    createConnection: () =>
      connectTls({
        host: "127.0.0.1",
        port: ports.https,
        servername: "www.example.test",
        ca: farm.authority.certificatePem,
        ALPNProtocols: ["h2"],
      }),
  });
  await once(session.request({ ":path": "/" }).resume(), "end");
  const ended = Promise.all([once(idle, "close"), once(session, "goaway")]);
  const closing = node.close();
  idle.resume();
  fresh.write("GET / HTTP/1.1\r\nHost: www.example.test\r\n\r\n");
  expect(String((await once(fresh, "data"))[0])).toMatch(/\r\nConnection: close\r\n/i);
  await ended;
  await farm.apply(testYaml({ sites: SITES, nodes: [{ name: "web1", https: ports.https, health: ports.health }] }));
  await closing;
  for (const port of [ports.https, ports.health]) {
    const socket = connectTcp({ host: "127.0.0.1", port });
    expect((await once(socket, "error"))[0]).toMatchObject({ code: "ECONNREFUSED" });
  }
  expect(connections()).toBe(0);
});
