import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer as createTlsServer, type TLSSocket, type TlsOptions } from "node:tls";
import { pathToFileURL } from "node:url";

import { afterAll, beforeAll, describe, expect, it, test } from "vitest";

import { requireHostName, systemClock, type Endpoint, type HostName } from "../base/index.ts";
import type { Cell, ExaminedNode, ProbeOutcome } from "../doctor/index.ts";
import { compile, type Compiled } from "../workers/testing/compile.ts";
import { lookAround, type LookControl, type LookPlan, type LookResult } from "./index.ts";
import { TestServers, type TestPair } from "./testing/test-servers.ts";

const www = requireHostName("www.example.test");
const shop = requireHostName("shop.example.test");
const ALPN = { ALPNProtocols: ["h2", "http/1.1"] };
let servers: TestServers;
let pair: TestPair;
let other: TestPair;
let worker: Compiled;

beforeAll(async () => {
  worker = await compile("probe/look-worker.ts");
  servers = await TestServers.start();
  pair = await servers.issue(["www.example.test", "shop.example.test", "*.many.example.test"]);
  other = await servers.issue(["other.example.test"]);
});
afterAll(async () => {
  servers.close();
  await worker.remove();
});

const node = (name: string, ...endpoints: Endpoint[]): ExaminedNode => ({ name, role: "node", endpoints });
const many = (count: number): HostName[] => Array.from({ length: count }, (_, at) => requireHostName(`h${at}.many.example.test`));

const look = (
  nodes: readonly ExaminedNode[],
  hosts: readonly HostName[],
  more: Partial<LookPlan & LookControl> = {},
): Promise<LookResult> => {
  const { clock = systemClock, signal, onProgress, ...plan } = more;
  const control = { clock, ...(signal === undefined ? {} : { signal }), ...(onProgress === undefined ? {} : { onProgress }) };
  return lookAround({ nodes, hosts: hosts.map((name) => ({ name })), ca: [servers.root], timeoutMs: 5_000, ...plan }, control);
};

const cellOf = ({ cells }: LookResult, name: string, host: HostName = www): Cell =>
  cells.find((cell) => cell.node === name && cell.host === host) ?? expect.fail(`no cell of ${name} and ${host}`);
const ended = (cell: Cell): Record<string, string> =>
  Object.fromEntries(Object.entries(cell.probes).map(([kind, { outcome }]) => [kind, endOf(outcome)]));
const endOf = (outcome: ProbeOutcome): string => (outcome.kind === "alert" ? `alert ${outcome.alert}` : outcome.kind);
const resumed = (cell: Cell, kind: "own-session" | "other-session"): boolean | undefined => {
  const outcome = cell.probes[kind]?.outcome;
  return outcome?.kind === "served" ? outcome.resumed : undefined;
};

/** A web server that answers well. */
const web = (options: object = {}): Promise<Endpoint> =>
  servers.https({ ...pair, ALPNProtocols: ["http/1.1"], ...options }, (_request, response) => response.end("hello"));

/** Ends TLS and closes at the first request. */
const bare = (options: TlsOptions): Promise<Endpoint> => servers.listen(createTlsServer({ ...ALPN, ...options }, closing));
const closing = (socket: TLSSocket): void => void socket.on("error", () => undefined).once("data", () => socket.end());

/** Refuses every name and has a certificate for clients without SNI. */
const strict = (): Promise<Endpoint> =>
  servers.listen(createTlsServer({ ...ALPN, ...other, SNICallback: (_name, done) => done(new Error("unknown")) }, closing));

describe("a healthy farm", () => {
  it("gets one handshake a cell, and for each endpoint what a fault may hide in", async () => {
    const keys = Buffer.alloc(48, 7);
    const result = await look([node("web1", await web({ ticketKeys: keys })), node("web2", await web({ ticketKeys: keys }))], [www, shop]);
    expect(result.gaps).toEqual([]);
    expect(result.roots).toBe("1 given certificate");
    expect(result.cells.map((cell) => `${cell.node} ${cell.host}`)).toEqual([
      "web1 www.example.test",
      "web1 shop.example.test",
      "web2 www.example.test",
      "web2 shop.example.test",
    ]);
    for (const cell of result.cells) {
      expect(cell.probes.sni?.outcome).toMatchObject({ kind: "served", verified: true, chainLength: 2, stapled: false });
      expect(cell.request).toMatchObject({ status: 200 });
      expect(Math.abs(cell.request?.clockOffsetMs ?? Number.NaN)).toBeLessThan(1_000);
      expect(cell.samples).toBeUndefined();
    }
    const sampled = result.cells.filter(({ probes }) => probes["own-session"] !== undefined);
    expect(sampled.map((cell) => [cell.node, cell.sessionFrom, resumed(cell, "own-session"), resumed(cell, "other-session")])).toEqual([
      ["web1", "web2", true, true],
      ["web2", "web1", true, true],
    ]);
  });

  it("is dialled without SNI and with an unknown name once for each endpoint", async () => {
    const names: (string | false)[] = [];
    const server = createTlsServer({ ...pair, ...ALPN }, (socket) => {
      names.push((socket as unknown as { servername: string | false }).servername); // Node sets it, its types lack it
      closing(socket);
    });
    const result = await look([node("web1", await servers.listen(server))], many(12), { threads: 1 });
    expect(names.filter((name) => name === false)).toHaveLength(1);
    expect(names.filter((name) => name === "certfarm-unknown-name.invalid")).toHaveLength(1);
    const [first, last] = [result.cells[0], result.cells.at(-1)];
    expect(first?.probes["no-sni"]).toBe(last?.probes["no-sni"]);
    expect(first?.probes["unknown-name"]?.outcome).toMatchObject({ verified: "ERR_TLS_CERT_ALTNAME_INVALID" });
    expect(first?.probes["no-sni"]).not.toHaveProperty("host");
  });

  it("shows the same objects for what is the same", async () => {
    const { cells } = await look([node("web1", await web()), node("web2", await web())], [www, shop]);
    expect(new Set(cells.map(({ probes }) => probes.sni?.outcome)).size).toBe(1);
  });

  it("with sessions that other nodes do not know shows it", async () => {
    const result = await look([node("web1", await web()), node("web2", await web())], [www]);
    for (const name of ["web1", "web2"]) {
      expect(resumed(cellOf(result, name), "own-session")).toBe(true);
      expect(resumed(cellOf(result, name), "other-session")).toBe(false);
    }
  });
});

describe("where cells differ or fail", () => {
  it("the deeper set is dialled on all nodes of the host, and not for hosts that are well", async () => {
    const [good, bad] = [await web(), await strict()];
    const result = await look([node("web1", good), node("web2", bad)], [www]);
    expect(ended(cellOf(result, "web2"))).toMatchObject({
      sni: "closed",
      tls12: "closed",
      rsa: "closed",
      "proxy-header": "closed",
      "no-sni": "served",
    });
    expect(ended(cellOf(result, "web1"))).toMatchObject({
      tls12: "served",
      tls13: "served",
      rsa: "alert handshake_failure",
      ecdsa: "served",
      http11: "served",
      h2: "alert no_application_protocol",
      "trailing-dot": "served",
    });
    expect(cellOf(result, "web2").samples).toHaveLength(3);
    expect(cellOf(result, "web2").request).toBeUndefined();
  });

  it("of many hosts with the same pattern the first few get it", async () => {
    const result = await look([node("web1", await bare(other))], many(12));
    const closer = result.cells.filter(({ probes }) => probes.tls12 !== undefined);
    expect(closer).toHaveLength(8);
    expect(result.cells.every(({ probes }) => probes.sni?.outcome.kind === "served")).toBe(true);
    expect(
      (await look([node("web1", await bare(other))], many(10), { deep: true })).cells.every(({ probes }) => probes.tls12 !== undefined),
    ).toBe(true);
  });

  const failures: [string, () => Promise<Endpoint>, Partial<Record<string, string>>][] = [
    ["a port where nobody listens", () => servers.nobody(), { sni: "refused" }],
    [
      "a server that resets",
      () => servers.raw((socket) => void socket.once("data", () => socket.resetAndDestroy())),
      { sni: "reset", tls13: "reset" },
    ],
    [
      "a server that closes",
      () => servers.raw((socket) => void socket.once("data", () => socket.end())),
      { sni: "closed", http11: "closed" },
    ],
    [
      "a server with an alert",
      () => servers.raw((socket) => void socket.once("data", () => socket.end(Buffer.from([0x15, 3, 3, 0, 2, 2, 112])))),
      { sni: "alert unrecognized_name", ecdsa: "alert unrecognized_name" },
    ],
    [
      "plain HTTP",
      () => servers.raw((socket) => void socket.once("data", () => socket.end("HTTP/1.0 400 Bad Request\r\n\r\n"))),
      { sni: "error" },
    ],
    ["a server that wants a PROXY header", () => servers.behindProxyHeader(pair), { sni: "closed", "proxy-header": "served" }],
    [
      "a server of TLS 1.2 alone",
      () => bare({ ...other, maxVersion: "TLSv1.2" }),
      { sni: "served", tls12: "served", tls13: "alert protocol_version" },
    ],
    [
      "a server of TLS 1.3 alone",
      () => bare({ ...other, minVersion: "TLSv1.3" }),
      { sni: "served", tls12: "alert protocol_version", tls13: "served" },
    ],
  ];
  test.each(failures)("%s is told as it is", async (_name, start, expected) => {
    const seen = ended(cellOf(await look([node("web1", await start())], [www]), "web1"));
    expect(seen).toMatchObject(expected);
    if (Object.keys(expected).length === 1) expect(Object.keys(seen).toSorted()).toEqual(["no-sni", "sni", "unknown-name"]);
  });

  it("plain HTTP is told by what it speaks", async () => {
    const target = await servers.raw((socket) => void socket.once("data", () => socket.end("HTTP/1.0 400 Bad Request\r\n\r\n")));
    expect(cellOf(await look([node("web1", target)], [www]), "web1").probes.sni?.outcome).toMatchObject({ speaks: "http" });
  });

  it("a balancer is sampled, and when it fails the nodes behind it are tried with a header", async () => {
    const balancer: ExaminedNode = {
      name: "lb",
      role: "balancer",
      endpoints: [await servers.raw((socket) => void socket.once("data", () => socket.end()))],
    };
    const result = await look([node("web1", await web()), balancer], [www], { samples: 5 });
    expect(cellOf(result, "lb").samples).toHaveLength(5);
    expect(cellOf(result, "web1").probes["proxy-header"]?.proxyHeader).toBe(1);
    const healthy: ExaminedNode = { name: "lb", role: "balancer", endpoints: [await web()] };
    expect(cellOf(await look([healthy], [www], { samples: 4 }), "lb").samples).toHaveLength(4);
  });
});

describe("time", () => {
  it("a handshake that times out once is tried again, and it is said", async () => {
    let dials = 0;
    const server = createTlsServer(pair, closing);
    const target = await servers.raw((socket) => {
      dials += 1;
      if (dials > 3) server.emit("connection", socket);
      else socket.resume();
    });
    // Two of the silent dials are those without SNI and with an unknown name.
    const result = await look([node("web1", target)], [www], { timeoutMs: 400, perEndpoint: 1 });
    expect(cellOf(result, "web1").probes.sni).toMatchObject({ attempts: 2, outcome: { kind: "served" } });
  });

  it("a handshake that times out twice is a timeout", async () => {
    const result = await look([node("web1", await servers.raw((socket) => void socket.resume()))], [www], { timeoutMs: 60 });
    expect(cellOf(result, "web1").probes.sni).toMatchObject({ attempts: 2, outcome: { kind: "timeout", during: "handshake" } });
  });

  it("an endpoint that keeps silent is given up, and the others are not held up", async () => {
    let dials = 0;
    const silent = await servers.raw((socket) => {
      dials += 1;
      socket.resume();
    });
    const result = await look([node("web1", silent), node("web2", await web())], many(60), { timeoutMs: 400, perEndpoint: 6 });
    expect(dials).toBeLessThan(70);
    expect(result.cells.filter((cell) => cell.node === "web2")).toHaveLength(60);
    const skipped = 60 - result.cells.filter((cell) => cell.node === "web1").length;
    expect(skipped).toBeGreaterThan(30);
    expect(result.gaps.filter((gap) => gap.node === "web1")).toEqual([
      {
        node: "web1",
        what: "probes",
        why: `${silent.address}:${silent.port} kept silent time after time: ${skipped} more host names were not dialled there`,
      },
    ]);
  });

  it("what is known when the caller stops is the answer", async () => {
    const stop = new AbortController();
    let served = 0;
    const held = await servers.listen(
      createTlsServer({ ...pair, ...ALPN }, (socket) => {
        served += 1;
        if (served === 30) stop.abort();
        closing(socket);
      }),
    );
    const result = await look([node("web1", held), node("web2", await servers.raw((socket) => void socket.resume()))], many(200), {
      signal: stop.signal,
    });
    expect(result.cells.length).toBeGreaterThan(10);
    expect(result.cells.length).toBeLessThan(200);
    expect(result.cells.every(({ probes }) => probes.sni?.outcome.kind === "served")).toBe(true);
    expect(result.gaps).toEqual([{ what: "probes", why: `stopped when ${result.cells.length} of 400 were dialled` }]);
  });

  it("a caller that has stopped before gets nothing, and nothing is dialled", async () => {
    let dials = 0;
    const target = await servers.raw(() => void (dials += 1));
    const result = await look([node("web1", target)], [www], { signal: AbortSignal.abort() });
    expect(result.cells).toEqual([]);
    expect(dials).toBe(0);
  });
});

describe("bounds", () => {
  /** A server that holds each connection until no more come for a moment, and counts how many it holds. */
  async function crowded(): Promise<{ readonly endpoint: Endpoint; readonly peak: () => number }> {
    let [now, peak] = [0, 0];
    const server = createTlsServer({ ...pair, ...ALPN }, closing);
    server.on("connection", (socket: TLSSocket) => {
      now += 1;
      peak = Math.max(peak, now);
      socket.once("close", () => (now -= 1));
    });
    return { endpoint: await servers.listen(server), peak: () => peak };
  }

  it("hold for each endpoint and for all of them", async () => {
    const [one, two] = [await crowded(), await crowded()];
    await look([node("web1", one.endpoint)], many(30), { perEndpoint: 5 });
    expect(one.peak()).toBeGreaterThan(1);
    // The server sees a close a little later than the client that made it.
    expect(one.peak()).toBeLessThanOrEqual(5 + 2);
    await look([node("web1", two.endpoint), node("web2", two.endpoint), node("web3", two.endpoint)], many(12), {
      perEndpoint: 5,
      inAll: 6,
    });
    expect(two.peak()).toBeLessThanOrEqual(6 + 2);
  });

  it("progress grows to its total", async () => {
    const seen: { done: number; total: number }[] = [];
    await look([node("web1", await web())], many(10), { onProgress: (progress) => void seen.push(progress) });
    expect(seen.every(({ done, total }, at) => done >= (seen[at - 1]?.done ?? 0) && total >= done)).toBe(true);
    expect(seen.at(-1)).toMatchObject({ done: seen.at(-1)?.total });
    expect(seen[0]).toEqual({ done: 1, total: 12 });
  });

  it("a host is dialled on the nodes that are meant to serve it, and once", async () => {
    const [one, two] = [await web(), await web()];
    const { cells } = await lookAround(
      {
        nodes: [node("web1", one, one), node("web2", two)],
        hosts: [{ name: www }, { name: www }, { name: shop, nodes: ["web2"] }],
        ca: [servers.root],
      },
      { clock: systemClock },
    );
    expect(cells.map((cell) => `${cell.node} ${cell.host}`)).toEqual([
      "web1 www.example.test",
      "web2 www.example.test",
      "web2 shop.example.test",
    ]);
  });

  it("roots without a certificate are an error", async () => {
    await expect(look([], [], { ca: ["-----BEGIN NONSENSE-----"] })).rejects.toMatchObject({ code: "PROBE_ROOTS_INVALID" });
  });

  it("of the system and of Node are used unless others are given", async () => {
    const nodes = [node("web1", await web())];
    const result = await lookAround({ nodes, hosts: [{ name: www }] }, { clock: systemClock });
    expect(result.roots).toMatch(/^the roots of Node( and of \/etc\/.+)?$/);
    expect(cellOf(result, "web1").probes.sni?.outcome).toMatchObject({ verified: "UNABLE_TO_GET_ISSUER_CERT_LOCALLY" });
  });
});

describe("in threads", () => {
  it("a large plan comes to the same as in one", async () => {
    const nodes = [node("web1", await web()), node("web2", await bare(pair))];
    const hosts = many(40);
    const result = await look(nodes, hosts, { threads: 2, entry: worker.entry });
    expect(result.gaps).toEqual([]);
    expect(result.cells.map((cell) => `${cell.node} ${cell.host}`)).toEqual(
      nodes.flatMap(({ name }) => hosts.map((host) => `${name} ${host}`)),
    );
    const outcomes = result.cells.map(({ probes }) => probes.sni?.outcome);
    expect(outcomes.every((outcome) => outcome?.kind === "served" && outcome.verified === true)).toBe(true);
    expect(new Set(outcomes.map((outcome) => outcome?.kind === "served" && outcome.chain?.[0])).size).toBe(1);
    expect(result.cells.every(({ probes }) => probes["no-sni"] !== undefined)).toBe(true);
    expect(result.cells.filter(({ sessionFrom }) => sessionFrom !== undefined).length).toBeGreaterThan(1);
    const alone = await look(nodes, hosts.slice(0, 3), { threads: 1 });
    const shape = ({ probes }: Cell) => ({ ...probes.sni, at: 0, tookMs: 0 });
    expect(shape(cellOf(result, "web1", hosts[2]))).toEqual(shape(cellOf(alone, "web1", hosts[2])));
  });

  it("what is known when the caller stops is the answer", async () => {
    const stop = new AbortController();
    const server = createTlsServer({ ...pair, ...ALPN }, closing);
    let served = 0;
    server.on("secureConnection", () => {
      served += 1;
      if (served === 100) stop.abort();
    });
    const nodes = [node("web1", await servers.listen(server))];
    const result = await look(nodes, many(1_000), { threads: 2, entry: worker.entry, signal: stop.signal });
    expect(result.cells.length).toBeGreaterThan(50);
    expect(result.cells.length).toBeLessThan(1_000);
    expect(result.gaps).toEqual([{ what: "probes", why: `stopped when ${result.cells.length} of 1000 were dialled` }]);
  });

  it("a thread that fails is a gap", async () => {
    const folder = mkdtempSync(join(tmpdir(), "look-"));
    try {
      writeFileSync(join(folder, "broken.mjs"), `throw new Error("broken");`);
      const entry = pathToFileURL(join(folder, "broken.mjs"));
      const result = await look([node("web1", await web())], many(10), { threads: 2, entry });
      expect(result).toMatchObject({ cells: [], gaps: [{ what: "probes", why: "a thread that dials ended early: broken" }] });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
