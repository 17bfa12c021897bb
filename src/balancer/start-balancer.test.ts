import type { Socket } from "node:net";
import { afterEach, describe, expect, it, test } from "vitest";

import { clientHello } from "./testing/client-hello.ts";
import { Client } from "./testing/client.ts";
import { closeFarms, eventually, keep, openFarm, type TestFarm } from "./testing/farm.ts";
import { FakeNode, freePort } from "./testing/fake-node.ts";

afterEach(closeFarms);

/** Connects, sends a ClientHello for a name and returns the client, which the node greets with its name. */
function dial(farm: TestFarm, host: string | undefined): Client {
  const client = new Client(farm.port);
  client.socket.write(clientHello(host));
  return client;
}

async function greetings(farm: TestFarm, host: string | undefined, count: number): Promise<Set<string>> {
  const names = new Set<string>();
  for (let index = 0; index < count; index++) {
    const client = dial(farm, host);
    names.add(await client.greeting());
    client.socket.destroy();
  }
  return names;
}

const lines = (farm: TestFarm, message: string): readonly Record<string, unknown>[] =>
  farm.log.filter((line) => String(line["message"]).includes(message));

describe("a connection for a name", () => {
  it("reaches only nodes that proved it, and every octet arrives in order", async () => {
    const farm = await openFarm({ nodes: ["web1", "web2", "web3"], prepare: ([, web2]) => void web2?.proved.add("www.example.com") });
    const hello = clientHello("www.example.com");
    for (let index = 0; index < 6; index++) {
      const client = new Client(farm.port);
      client.socket.write(hello);
      client.socket.write("more");
      await client.until(() => client.received.length === "web2:".length + hello.length + 4);
      expect(client.received).toEqual(Buffer.concat([Buffer.from("web2:"), hello, Buffer.from("more")]));
      client.socket.destroy();
    }
    expect(farm.balancer.state().failOpen.total).toBe(0);
  });

  it("is spread over all nodes that proved it", async () => {
    const farm = await openFarm({
      nodes: ["web1", "web2", "web3"],
      prepare: (nodes) => nodes.slice(0, 2).forEach((node) => node.proved.add("www.example.com")),
    });
    expect(await greetings(farm, "www.example.com", 8)).toEqual(new Set(["web1", "web2"]));
  });

  it("asks each node once for a name that many connections bring at once", async () => {
    const farm = await openFarm({ prepare: ([web1]) => void web1?.proved.add("new.example.com") });
    const clients = Array.from({ length: 20 }, () => dial(farm, "new.example.com"));
    for (const client of clients) expect(await client.greeting()).toBe("web1");
    for (const client of clients) client.socket.destroy();
    for (const node of farm.nodes) expect(node.questions.filter((path) => path.includes("host=new.example.com"))).toHaveLength(1);
    expect(farm.nodes[0]?.questions).toContain("/readyz?host=new.example.com&port=443");
  });

  it("does not wait for a node that is slow to say whether it proved the name", async () => {
    const farm = await openFarm({
      tuning: { nameWaitMs: 10_000 },
      prepare: ([web1, web2]) => {
        web1?.proved.add("www.example.com");
        if (web2 !== undefined) web2.gate = new Promise(() => undefined);
      },
    });
    const client = keep(dial(farm, "www.example.com"));
    expect(await client.greeting()).toBe("web1");
  });

  it("follows what a node's feed tells", async () => {
    const farm = await openFarm({
      prepare: (nodes) => nodes.forEach((node) => (node.feed = { generation: 1, reset: true, changes: [] })),
    });
    const [web1, web2] = farm.nodes;
    if (web1 === undefined || web2 === undefined) throw new Error("the farm has two nodes");
    web1.feed = { generation: 2, reset: false, changes: [{ host: "www.example.com", port: 443, proved: true }] };
    web2.feed = { generation: 9, reset: false, changes: [{ host: "www.example.com", port: 443, proved: false }] };
    await eventually(() => farm.balancer.state().names.recent[0]?.failedBy[0] === "web2");
    expect(await greetings(farm, "www.example.com", 4)).toEqual(new Set(["web1"]));
    expect(web1.questions).toContain("/proofs?since=0");
    await eventually(() => web1.questions.includes("/proofs?since=2") && web2.questions.includes("/proofs?since=9"));
    web1.feed = { generation: 3, reset: true, changes: [{ host: "www.example.com", port: 443, proved: false }] };
    web2.feed = { generation: 10, reset: false, changes: [{ host: "www.example.com", port: 443, proved: true }] };
    await eventually(() => farm.balancer.state().names.recent[0]?.provedBy[0] === "web2");
    expect(await greetings(farm, "www.example.com", 4)).toEqual(new Set(["web2"]));
  });

  it("keeps no more names than its limit", async () => {
    const farm = await openFarm({ tuning: { maxNames: 5 } });
    for (let index = 0; index < 12; index++) await greetings(farm, `n${index}.example.com`, 1);
    expect(farm.balancer.state().names).toMatchObject({ known: 5, limit: 5 });
  });
});

describe("when no node proved the name", () => {
  it("fails open to nodes that are ready, says so once, and again only after it was well in between", async () => {
    const farm = await openFarm({ prepare: (nodes) => nodes.forEach((node) => (node.feed = { generation: 1, reset: true, changes: [] })) });
    expect(await greetings(farm, "lost.example.com", 6)).toEqual(new Set(["web1", "web2"]));
    expect(lines(farm, "failing open")).toEqual([expect.objectContaining({ level: "warn", host: "lost.example.com", port: 443 })]);
    expect(farm.balancer.state().failOpen).toMatchObject({ total: 6, events: [{ host: "lost.example.com", port: 443, level: "ready" }] });

    const [web1] = farm.nodes;
    const tell = async (generation: number, proved: boolean): Promise<void> => {
      if (web1 === undefined) throw new Error("the farm has nodes");
      web1.feed = { generation, reset: false, changes: [{ host: "lost.example.com", port: 443, proved }] };
      await eventually(() => farm.balancer.state().nodes[0]?.proofs.generation === generation);
    };
    await tell(2, true);
    expect(await greetings(farm, "lost.example.com", 4)).toEqual(new Set(["web1"]));
    await tell(3, false);
    await greetings(farm, "lost.example.com", 4);
    expect(lines(farm, "failing open")).toHaveLength(2);
  });

  it("fails open to nodes that only take TCP connections when none is ready", async () => {
    const farm = await openFarm({ prepare: (nodes) => nodes.forEach((node) => (node.ready = false)) });
    expect(await greetings(farm, "www.example.com", 4)).toEqual(new Set(["web1", "web2"]));
    expect(farm.balancer.state().failOpen.events).toMatchObject([{ level: "reachable" }]);
  });

  it("does not let a scan of names flood the log", async () => {
    const farm = await openFarm({ nodes: ["web1"] });
    for (let index = 0; index < 40; index++) await greetings(farm, `scan${index}.example.com`, 1);
    expect(lines(farm, "failing open")).toHaveLength(20);
    expect(farm.balancer.state().failOpen.total).toBe(40);
  });

  it("resets the connection, counts it and says so when no node can take it", async () => {
    const farm = await openFarm({ nodes: [] });
    const client = await dial(farm, "www.example.com").gone();
    expect(client.error).toBe("ECONNRESET");
    expect(farm.balancer.state().connections.refused["no-node"]).toBe(1);
    expect(lines(farm, "no node can take")).toHaveLength(1);
  });
});

describe("a connection without a usable name", () => {
  test.each([
    ["a ClientHello without SNI", clientHello(undefined)],
    ["300 characters of SNI", clientHello("a".repeat(300))],
    ["control characters in the SNI", clientHello("www\0.example.com")],
    ["a path in the SNI", clientHello("../../etc/passwd")],
    ["plaintext HTTP on the TLS port", Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n")],
    ["garbage", Buffer.from("160301000400000000", "hex")],
    ["a PROXY header of its own", Buffer.from("PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\n")],
  ])("%s goes on to a ready node unchanged, and no node is asked for a name", async (_name, octets) => {
    const farm = await openFarm({ nodes: ["web1"] });
    const client = new Client(farm.port);
    client.socket.write(octets);
    await client.until(() => client.received.length === "web1:".length + octets.length);
    expect(client.received.subarray(5)).toEqual(octets);
    client.socket.destroy();
    expect(farm.nodes[0]?.questions.filter((path) => path.includes("host="))).toEqual([]);
    expect(farm.balancer.state().failOpen.total).toBe(0);
  });

  it("is passed on at once on a plain-http port, before the client says anything", async () => {
    const farm = await openFarm({ nodes: ["web1"] });
    const client = keep(new Client(farm.httpPort));
    expect(await client.greeting()).toBe("web1");
  });
});

describe("a ClientHello in pieces", () => {
  it("is read when it comes octet by octet", async () => {
    const farm = await openFarm({ prepare: ([, web2]) => void web2?.proved.add("www.example.com") });
    const client = keep(new Client(farm.port));
    client.socket.setNoDelay(true);
    const hello = clientHello("www.example.com");
    for (const octet of hello) {
      await new Promise<void>((resolve) => void client.socket.write(Buffer.of(octet), () => resolve()));
    }
    await client.until(() => client.received.length === 5 + hello.length);
    expect(client.text.slice(0, 5)).toBe("web2:");
    expect(client.received.subarray(5)).toEqual(hello);
  });

  it("that never ends is cut off in time and counted", async () => {
    const farm = await openFarm();
    const client = new Client(farm.port);
    client.socket.write(clientHello("www.example.com").subarray(0, 20));
    await client.gone();
    await eventually(() => farm.balancer.state().connections.active === 0);
    expect(farm.balancer.state().connections).toMatchObject({ refused: { "hello-timeout": 1 } });
    expect(lines(farm, "refused")).toEqual([expect.objectContaining({ reason: "hello-timeout", client: "127.0.0.1" })]);
  });

  it("that breaks off is counted; a client that says nothing at all is not", async () => {
    const farm = await openFarm();
    const half = new Client(farm.port);
    half.socket.end(clientHello("www.example.com").subarray(0, 20));
    await half.gone();
    const silent = new Client(farm.port);
    silent.socket.end();
    await silent.gone();
    await eventually(() => farm.balancer.state().connections.active === 0);
    expect(farm.balancer.state().connections).toMatchObject({ empty: 1, refused: { "hello-closed": 1 } });
  });
});

describe("a node that takes no connections", () => {
  it("is passed over for the next one and gets none for a while", async () => {
    const farm = await openFarm({
      nodes: ["web1", "web2", "web3"],
      prepare: (nodes) => nodes.forEach((node) => node.proved.add("www.example.com")),
    });
    await farm.nodes[0]?.stopServing();
    expect(await greetings(farm, "www.example.com", 9)).toEqual(new Set(["web2", "web3"]));
    const [web1] = farm.balancer.state().nodes;
    expect(web1?.totals).toMatchObject({ connections: 0, connectFailures: 1, ejections: 1 });
    expect(lines(farm, "ejected")).toHaveLength(1);
  });

  // TCP checks say nothing.
  const silentAtWeb1 = (socket: Socket, node: FakeNode): void => {
    if (node.name === "web1") return;
    socket.once("data", (hello: Buffer) => socket.write(`${node.name}:${hello.length}`));
  };
  const endingAtWeb1 =
    (end: (socket: Socket) => void) =>
    (socket: Socket, node: FakeNode): void =>
      void socket.once("data", () => (node.name === "web1" ? end(socket) : socket.write(`${node.name}:`)));

  it.each([
    ["resets the connection", endingAtWeb1((socket) => socket.resetAndDestroy())],
    ["ends the connection", endingAtWeb1((socket) => socket.end())],
    ["stays silent", silentAtWeb1],
  ])("that %s without an answer to the ClientHello is passed over, and no client knows", async (_what, behaviour) => {
    const farm = await openFarm({
      nodes: ["web1", "web2", "web3"],
      behaviour,
      tuning: { answerTimeoutMs: 200 },
      prepare: (nodes) => nodes.forEach((node) => node.proved.add("www.example.com")),
    });
    for (let turn = 0; turn < 9; turn++) expect((await greetings(farm, "www.example.com", 1)).has("web1")).toBe(false);
    expect(farm.balancer.state().nodes[0]?.totals.ejections).toBeGreaterThan(0);
    expect(farm.balancer.state().connections.refused).toMatchObject({ "connect-failed": 0, "no-node": 0 });
  });

  it("that stays silent is waited for when no other proved the name", async () => {
    let answer: (() => void) | undefined;
    const farm = await openFarm({
      nodes: ["web1", "web2"],
      behaviour: (socket, node) => void socket.once("data", () => (answer = () => socket.write(`${node.name}:`))),
      tuning: { answerTimeoutMs: 100 },
      prepare: ([web1]) => void web1?.proved.add("www.example.com"),
    });
    const client = keep(new Client(farm.port));
    client.socket.write(clientHello("www.example.com"));
    await eventually(() => farm.balancer.state().nodes[0]?.connections === 1 && answer !== undefined);
    await new Promise((resolve) => void setTimeout(resolve, 400)); // four times its patience
    answer?.();
    expect(await client.greeting()).toBe("web1");
  });

  it("gets a request on a plain-http port once only, whatever it does with it", async () => {
    const seen: string[] = [];
    const farm = await openFarm({
      nodes: ["web1", "web2"],
      behaviour: (socket, node) =>
        void socket.once("data", () => {
          seen.push(node.name);
          socket.resetAndDestroy();
        }),
    });
    const client = keep(new Client(farm.httpPort));
    client.socket.write("POST /order HTTP/1.1\r\n\r\n");
    await client.gone();
    expect(seen).toHaveLength(1);
  });

  it("that nobody reaches any longer loses its idle connections, whose clients come back to another", async () => {
    const farm = await openFarm({ nodes: ["web1", "web2"] });
    const client = keep(new Client(farm.httpPort));
    const name = await client.greeting();
    const node = farm.nodes.find((one) => one.name === name);
    await node?.stopHealth();
    await client.until(() => client.ended);
    expect(await greetings(farm, undefined, 2)).not.toContain(name);
  });

  it("is found by the TCP check although its health port says ready", async () => {
    const farm = await openFarm({ prepare: ([web1]) => web1?.stopServing() });
    expect(farm.balancer.state().nodes[0]).toMatchObject({ health: "ready", tcp: false, inRotation: false });
    expect(await greetings(farm, undefined, 4)).toEqual(new Set(["web2"]));
    expect(farm.balancer.state().nodes[0]?.totals.connectFailures).toBe(0);
  });

  it("does not hide that no node at all could be reached", async () => {
    const farm = await openFarm({ tuning: { pollIntervalMs: 60_000 } });
    for (const node of farm.nodes) await node.stopServing();
    const client = await dial(farm, undefined).gone();
    expect(client.error).toBe("ECONNRESET");
    expect(farm.balancer.state().connections.refused["connect-failed"]).toBe(1);
  });
});

describe("health", () => {
  it("takes a node out of rotation that is not ready, and back in", async () => {
    const farm = await openFarm();
    const [web1] = farm.nodes;
    if (web1 === undefined) throw new Error("the farm has nodes");
    web1.ready = false;
    await eventually(() => farm.balancer.state().nodes[0]?.health === "not-ready");
    expect(await greetings(farm, undefined, 4)).toEqual(new Set(["web2"]));
    expect(farm.balancer.state().nodes[0]?.problem).toBe("/readyz answers 503");
    web1.ready = true;
    await eventually(() => farm.balancer.state().nodes[0]?.inRotation === true);
    expect(await greetings(farm, undefined, 4)).toEqual(new Set(["web1", "web2"]));
  });

  it("notices a node whose health port is gone", async () => {
    const farm = await openFarm();
    await farm.nodes[0]?.close();
    await eventually(() => farm.balancer.state().nodes[0]?.health === "unreachable");
    expect(farm.balancer.state().nodes[0]?.problem).toContain("refuses");
    expect(await greetings(farm, undefined, 4)).toEqual(new Set(["web2"]));
  });

  it("of the balancer itself tells of its end before its ports are closed", async () => {
    const farm = await openFarm({ nodes: ["web1"] });
    const readyz = async (): Promise<number> => (await fetch(`http://127.0.0.1:${farm.health.port}/readyz`)).status;
    expect(await readyz()).toBe(200);
    const closed = farm.balancer.close({ graceMs: 0, noticeMs: 400 });
    expect(await readyz()).toBe(503);
    expect(await greetings(farm, undefined, 1)).toEqual(new Set(["web1"]));
    await closed;
    expect((await new Client(farm.port).gone()).error).toBe("ECONNREFUSED");
  });

  it("of the balancer itself answers on its own port", async () => {
    const farm = await openFarm({ prepare: ([web1]) => void web1?.proved.add("www.example.com") });
    await greetings(farm, "www.example.com", 1);
    const get = async (path: string): Promise<{ status: number; body: unknown }> => {
      const answer = await fetch(`http://127.0.0.1:${farm.health.port}${path}`);
      return { status: answer.status, body: await answer.json() };
    };
    expect(await get("/livez")).toMatchObject({ status: 200 });
    expect(await get("/readyz")).toEqual({ status: 200, body: { ready: true } });
    expect(await get("/nothing")).toMatchObject({ status: 404 });
    expect(await get("/state")).toMatchObject({
      status: 200,
      body: {
        listeners: [{ port: farm.port }, { port: farm.httpPort }],
        names: { recent: [{ host: "www.example.com", provedBy: ["web1"] }] },
      },
    });
    farm.balancer.setDrained(["web1", "web2"]);
    expect(await get("/readyz")).toEqual({ status: 503, body: { ready: false } });
  });
});

describe("drain", () => {
  it("gives a drained node no new connections and lets the present ones go on", async () => {
    const farm = await openFarm();
    const old = [keep(dial(farm, undefined)), keep(dial(farm, undefined))];
    for (const client of old) await client.greeting();
    farm.balancer.setDrained(["web1"]);
    expect(await greetings(farm, undefined, 4)).toEqual(new Set(["web2"]));
    for (const client of old) {
      client.socket.write("still there");
      await client.until(() => client.text.endsWith("still there"));
    }
    farm.balancer.setDrained([]);
    expect(await greetings(farm, undefined, 4)).toEqual(new Set(["web1", "web2"]));
  });

  it("ends the connections of a drained node after the drain time-out, and only those", async () => {
    const farm = await openFarm({ config: { drainTimeoutMs: 200 } });
    const clients = [keep(dial(farm, undefined)), keep(dial(farm, undefined))];
    const names = [await clients[0]?.greeting(), await clients[1]?.greeting()];
    farm.balancer.setDrained(["web1"]);
    const ended = clients[names.indexOf("web1")];
    await ended?.until(() => ended.ended);
    const other = clients[names.indexOf("web2")];
    other?.socket.write("still there");
    await other?.until(() => other.text.endsWith("still there"));
  });

  it("heeds a node that says itself that it drains", async () => {
    const farm = await openFarm();
    const [web1] = farm.nodes;
    if (web1 === undefined) throw new Error("the farm has nodes");
    web1.draining = true;
    await eventually(() => farm.balancer.state().nodes[0]?.draining === true);
    expect(await greetings(farm, undefined, 4)).toEqual(new Set(["web2"]));
    expect(lines(farm, "a node drains")).toHaveLength(1);
  });

  it("refuses connections rather than use a drained node", async () => {
    const farm = await openFarm({ nodes: ["web1"] });
    farm.balancer.setDrained(["web1"]);
    expect((await dial(farm, undefined).gone()).error).toBe("ECONNRESET");
  });
});

describe("apply", () => {
  it("adds a node and a port, removes others, and drops no connection", async () => {
    const farm = await openFarm();
    const old = [keep(dial(farm, undefined)), keep(dial(farm, undefined))];
    for (const client of old) await client.greeting();
    const web3 = keep(await FakeNode.open("web3"));
    const ports = new Map([[443, farm.httpPort]]);
    const { balancer, nodes } = farm.settings;
    const kept = nodes.filter((node) => node.name === "web2");
    await farm.balancer
      .apply({ ...farm.settings, balancer: { ...balancer, ports }, nodes: [...kept, web3.config()] })
      .catch(() => undefined);
    await eventually(() => farm.balancer.state().nodes.every((node) => node.inRotation));
    expect(farm.balancer.state().nodes.map((node) => node.name)).toEqual(["web2", "web3"]);
    const names = new Set<string>();
    for (let index = 0; index < 4; index++) {
      const client = new Client(farm.httpPort);
      client.socket.write(clientHello(undefined));
      names.add(await client.greeting());
      client.socket.destroy();
    }
    expect(names).toEqual(new Set(["web2", "web3"]));
    for (const client of old) {
      client.socket.write("still there");
      await client.until(() => client.text.endsWith("still there"));
    }
    expect((await new Client(farm.port).gone()).error).toBe("ECONNREFUSED");
  });
});

it("the health endpoint moves with the configuration", async () => {
  const farm = await openFarm({ nodes: ["web1"] });
  const health = { address: farm.health.address, port: await freePort() };
  await farm.balancer.apply({ ...farm.settings, balancer: { ...farm.settings.balancer, health } });
  expect((await fetch(`http://127.0.0.1:${health.port}/readyz`)).status).toBe(200);
  await expect(fetch(`http://127.0.0.1:${farm.health.port}/readyz`)).rejects.toThrow("fetch failed");
});

describe("close", () => {
  it("stops listening, lets connections end, then ends", async () => {
    const farm = await openFarm();
    const client = dial(farm, undefined);
    await client.greeting();
    const closed = farm.balancer.close({ graceMs: 10_000 });
    await eventually(() => farm.balancer.state().listeners.length === 0);
    client.socket.write("last words");
    await client.until(() => client.text.endsWith("last words"));
    client.socket.end();
    await closed;
  });

  it("ends connections that outlast the grace", async () => {
    const farm = await openFarm();
    const client = dial(farm, undefined);
    await client.greeting();
    await farm.balancer.close({ graceMs: 50 });
    await client.until(() => client.ended);
    client.socket.destroy();
  });
});

describe("startBalancer", () => {
  it("names the port it cannot listen on and leaves nothing running", async () => {
    const other = await openFarm();
    await expect(openFarm({ config: { ports: new Map([[443, other.port]]) } })).rejects.toMatchObject({
      code: "BALANCER_LISTEN_FAILED",
      facts: { port: other.port },
    });
  });
});
