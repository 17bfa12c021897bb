import { once } from "node:events";
import { createServer, request as httpRequest, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { connect as connectH2, type ClientHttp2Session } from "node:http2";
import { createServer as createHttpsServer } from "node:https";
import { connect, createServer as createTcpServer, type AddressInfo } from "node:net";
import { buffer, text } from "node:stream/consumers";

import { afterAll, afterEach, beforeAll, describe, expect, it, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";

import { serveSites, site, type Farm } from "./testing/site-under-test.ts";

let farm: Farm;
let upstream: Server;
let behave: RequestListener;
let upstreamUrl: URL;
let kept: ClientHttp2Session | undefined;
const extra: (() => void)[] = [];

async function listen(server: { listen(port: number, host: string): unknown; address(): unknown } & NodeJS.EventEmitter): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port; // a TCP server that listens has one
}

const proxy = (urls: readonly URL[], more: { timeoutMs?: number; preserveHost?: boolean } = {}) =>
  ({ kind: "proxy", upstreams: urls, timeoutMs: 2_000, preserveHost: false, ...more }) as const;

/** A port where nothing listens. */
async function deadPort(): Promise<number> {
  const server = createTcpServer();
  const port = await listen(server);
  server.close();
  await once(server, "close");
  return port;
}

beforeAll(async () => {
  upstream = createServer((request, response) => behave(request, response));
  const sockets = new WebSocketServer({ server: upstream, path: "/socket" });
  sockets.on("connection", (socket, request) => {
    socket.send(JSON.stringify(request.headers));
    socket.on("message", (data, binary) => socket.send(data, { binary }));
  });
  upstreamUrl = new URL(`http://127.0.0.1:${await listen(upstream)}`);
  const dead = new URL(`http://127.0.0.1:${await deadPort()}`);
  farm = await serveSites(
    [
      site("app", "app.example.test", proxy([upstreamUrl])),
      site("kept", "kept.example.test", proxy([new URL("/base/", upstreamUrl)], { preserveHost: true })),
      site("pair", "pair.example.test", proxy([dead, upstreamUrl])),
      site("dead", "dead.example.test", proxy([dead])),
      site("slow", "slow.example.test", proxy([upstreamUrl], { timeoutMs: 150 })),
    ],
    {},
    { trustsForwarded: (address) => address === "203.0.113.1" },
  );
});

afterEach(() => {
  for (const undo of extra.splice(0)) undo();
});

afterAll(async () => {
  kept?.close();
  await farm.close();
  upstream.closeAllConnections();
  upstream.close();
});

/** One connection for all, opened again when the server has ended it for its silence. */
function session(): ClientHttp2Session {
  if (kept === undefined || kept.closed || kept.destroyed)
    kept = connectH2(`https://127.0.0.1:${farm.httpsPort}`, { rejectUnauthorized: false });
  return kept;
}

interface Ask {
  readonly host?: string;
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Record<string, string | string[]>;
  readonly body?: string | Buffer;
  readonly port?: number;
}

async function ask(options: Ask = {}): Promise<{ status: number; headers: IncomingMessage["headers"]; body: string; trailers: unknown }> {
  const { host = "app.example.test", path = "/", method = "GET", headers = {}, body, port = farm.httpPort } = options;
  const outgoing = httpRequest({ host: "127.0.0.1", port, path, method, headers: { host, ...headers }, agent: false });
  outgoing.end(body);
  const [answer] = (await once(outgoing, "response")) as [IncomingMessage];
  const content = await text(answer);
  return { status: answer.statusCode ?? 0, headers: answer.headers, body: content, trailers: answer.trailers };
}

async function askH2(
  headers: Record<string, string | string[]>,
  body?: Buffer,
): Promise<{ headers: Record<string, unknown>; body: Buffer }> {
  const stream = session().request({ ":path": "/", ":authority": "app.example.test", ...headers }, { endStream: body === undefined });
  if (body !== undefined) stream.end(body);
  const [answer] = (await once(stream, "response")) as [Record<string, unknown>];
  return { headers: answer, body: await buffer(stream) };
}

/** Answers with what the upstream got. */
const mirror: RequestListener = (request, response) => {
  const answer = async (): Promise<void> => {
    const body = await buffer(request);
    response.setHeader("Content-Type", "application/json");
    response.end(
      JSON.stringify({
        method: request.method,
        url: request.url,
        version: request.httpVersion,
        raw: request.rawHeaders,
        bytes: body.length,
      }),
    );
  };
  void answer();
};

interface Mirrored {
  readonly method: string;
  readonly url: string;
  readonly version: string;
  readonly raw: readonly string[];
  readonly bytes: number;
}

const mirrored = (body: string | Buffer): Mirrored => JSON.parse(body.toString()) as Mirrored; // made by `mirror`
const field = (seen: Mirrored, name: string): readonly string[] =>
  seen.raw.filter((_value, at) => at % 2 === 1 && seen.raw[at - 1]?.toLowerCase() === name);

describe("the request to the upstream", () => {
  it("keeps method, path, query and body, and names the client", async () => {
    behave = mirror;
    const seen = mirrored((await ask({ path: "/a%2fb?x=1", method: "POST", body: "hello" })).body);
    expect(seen).toMatchObject({ method: "POST", url: "/a%2fb?x=1", bytes: 5 });
    expect(field(seen, "host")).toEqual([upstreamUrl.host]);
    expect(field(seen, "x-forwarded-for")).toEqual(["198.51.100.7"]);
    expect(field(seen, "x-forwarded-proto")).toEqual(["http"]);
    expect(field(seen, "x-forwarded-host")).toEqual(["app.example.test"]);
    expect(field(seen, "x-forwarded-port")).toEqual(["80"]);
    expect(field(seen, "forwarded")).toEqual(['for=198.51.100.7;host="app.example.test";proto=http']);
    expect(field(seen, "via")).toEqual(["1.1 certfarm"]);
  });

  it("keeps the host and adds the upstream's path when it is told to", async () => {
    behave = mirror;
    const seen = mirrored((await ask({ host: "Kept.example.test:8080", path: "/x?y" })).body);
    expect([seen.url, field(seen, "host"), field(seen, "x-forwarded-port")]).toEqual(["/base/x?y", ["kept.example.test:8080"], ["8080"]]);
  });

  test.each(["/../admin", "/%2e%2E/admin", "/a/.%2e/b", "/.", "/a/.."])("cannot leave the upstream's path: %s", async (path) => {
    behave = mirror;
    expect((await ask({ host: "kept.example.test", path })).status).toBe(400);
  });

  it("does not believe the client's own forwarding fields", async () => {
    behave = mirror;
    const forged = {
      "x-forwarded-for": "10.0.0.1",
      "x-forwarded-proto": "https",
      "x-forwarded-host": "admin.test",
      forwarded: "for=10.0.0.1",
    };
    const seen = mirrored((await ask({ headers: forged })).body);
    expect([field(seen, "x-forwarded-for"), field(seen, "x-forwarded-proto"), field(seen, "x-forwarded-host")]).toEqual([
      ["198.51.100.7"],
      ["http"],
      ["app.example.test"],
    ]);
    expect(field(seen, "forwarded").join()).not.toContain("10.0.0.1");
  });

  it("carries nothing that was meant for one hop, and Connection cannot take away what it must not", async () => {
    behave = mirror;
    const hop = {
      connection: "close, X-Secret, X-Forwarded-For, Host, Content-Length",
      "x-secret": "1",
      te: "gzip",
      "proxy-authorization": "Basic x",
      "keep-alive": "5",
      "proxy-connection": "x",
      upgrade: "",
    };
    const seen = mirrored((await ask({ method: "POST", body: "abc", headers: { ...hop, "content-length": "3" } })).body);
    for (const name of ["x-secret", "te", "proxy-authorization", "keep-alive", "proxy-connection", "upgrade"])
      expect(field(seen, name)).toEqual([]);
    expect([field(seen, "content-length"), field(seen, "x-forwarded-for"), seen.bytes]).toEqual([["3"], ["198.51.100.7"], 3]);
  });

  it("is HTTP/1.1 for a client of HTTP/2, with its cookies in one field and its body", async () => {
    behave = mirror;
    const seen = mirrored((await askH2({ ":method": "POST", cookie: ["a=1", "b=2"], "x-own": "1" }, Buffer.alloc(70_000))).body);
    expect(seen).toMatchObject({ version: "1.1", method: "POST", bytes: 70_000 });
    expect([field(seen, "cookie"), field(seen, "x-own"), field(seen, "via"), field(seen, "x-forwarded-proto")]).toEqual([
      ["a=1; b=2"],
      ["1"],
      ["2 certfarm"],
      ["https"],
    ]);
    expect(seen.raw.some((value) => value.startsWith(":"))).toBe(false);
  });

  it("has no body when the client sent none", async () => {
    behave = mirror;
    for (const seen of [mirrored((await ask()).body), mirrored((await askH2({})).body)]) {
      expect([field(seen, "transfer-encoding"), field(seen, "content-length"), seen.bytes]).toEqual([[], [], 0]);
    }
  });

  it("uses kept connections again", async () => {
    const ports = new Set<number | undefined>();
    behave = (request, response) => {
      ports.add(request.socket.remotePort);
      response.end("ok");
    };
    for (let round = 0; round < 5; round += 1) await ask();
    expect(ports.size).toBe(1);
  });

  it("ends when it goes in a circle", async () => {
    behave = (request, response) => {
      const onward = httpRequest(
        { host: "127.0.0.1", port: farm.httpPort, headers: { ...request.headers, host: "app.example.test" } },
        (answer) => {
          response.writeHead(answer.statusCode ?? 0);
          answer.pipe(response);
        },
      );
      onward.end();
    };
    expect((await ask()).status).toBe(508);
  });
});

describe("the answer", () => {
  it("loses what was meant for one hop and gets the node's name", async () => {
    behave = (_request, response) => {
      response.writeHead(
        203,
        [
          ["Connection", "X-Hop", "X-Hop", "1", "Keep-Alive", "timeout=9", "Proxy-Authenticate", "x"],
          ["Set-Cookie", "a=1", "Set-Cookie", "b=2", "X-Own", "2", "X-Farm-Node", "forged", "Content-Length", "2"],
        ].flat(),
      );
      response.end("ok");
    };
    const answer = await ask();
    expect([answer.status, answer.body, answer.headers["x-own"], answer.headers["set-cookie"]]).toEqual([203, "ok", "2", ["a=1", "b=2"]]);
    expect([answer.headers["x-hop"], answer.headers["proxy-authenticate"], answer.headers["x-farm-node"], answer.headers.via]).toEqual([
      undefined,
      undefined,
      "web1",
      "1.1 certfarm",
    ]);
    const second = await askH2({});
    expect([second.headers[":status"], second.headers["set-cookie"], second.headers["keep-alive"], second.body.toString()]).toEqual([
      203,
      ["a=1", "b=2"],
      undefined,
      "ok",
    ]);
  });

  it("streams: the client has the first part before the upstream has the last", async () => {
    let finish: (() => void) | undefined;
    behave = (_request, response) => {
      response.write("first");
      finish = () => response.end("last");
    };
    for (const secure of [false, true]) {
      const stream = secure
        ? session().request({ ":path": "/", ":authority": "app.example.test" })
        : (
            (await once(
              httpRequest({ host: "127.0.0.1", port: farm.httpPort, headers: { host: "app.example.test" } }).end(),
              "response",
            )) as [IncomingMessage]
          )[0];
      const [first] = (await once(stream, "data")) as [Buffer];
      expect(first.toString()).toBe("first");
      finish?.();
      const [last] = (await once(stream, "data")) as [Buffer];
      expect(last.toString()).toBe("last");
    }
  });

  it("shows its header before its body begins", async () => {
    let finish: (() => void) | undefined;
    behave = (_request, response) => {
      response.flushHeaders();
      finish = () => response.end();
    };
    const outgoing = httpRequest({ host: "127.0.0.1", port: farm.httpPort, headers: { host: "app.example.test" } }).end();
    const [answer] = (await once(outgoing, "response")) as [IncomingMessage];
    finish?.();
    expect(await text(answer)).toBe("");
    const stream = session().request({ ":path": "/", ":authority": "app.example.test" });
    await once(stream, "response");
    finish?.();
    stream.resume();
    await once(stream, "end");
  });

  it("holds the upstream back while the client does not read", async () => {
    let sent = 0;
    const chunk = Buffer.alloc(64 * 1024);
    behave = (_request, response) => {
      const more = (): void => {
        while (sent < 400 && response.write(chunk)) sent += 1;
        if (sent < 400) {
          sent += 1;
          response.once("drain", more);
        } else response.end();
      };
      more();
    };
    const outgoing = httpRequest({ host: "127.0.0.1", port: farm.httpPort, headers: { host: "app.example.test" }, agent: false }).end();
    const [answer] = (await once(outgoing, "response")) as [IncomingMessage];
    answer.pause();
    let before = -1;
    while (before !== sent) {
      before = sent;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(sent).toBeLessThan(400);
    let bytes = 0;
    for await (const part of answer) bytes += (part as Buffer).length;
    expect(bytes % chunk.length).toBe(0);
    expect(bytes).toBeGreaterThan(sent * chunk.length * 0.9);
  });

  it("keeps trailers", async () => {
    behave = (_request, response) => {
      response.writeHead(200, { Trailer: "X-Sum" });
      response.write("body");
      response.addTrailers({ "X-Sum": "42" });
      response.end();
    };
    expect((await ask()).body).toBe("body");
    const stream = session().request({ ":path": "/", ":authority": "app.example.test" });
    const trailers = once(stream, "trailers");
    stream.resume();
    expect(((await trailers) as [Record<string, unknown>])[0]["x-sum"]).toBe("42");
  });

  it("is cut short visibly when the upstream breaks off", async () => {
    behave = (_request, response) => {
      response.writeHead(200, { "Content-Length": "10" });
      response.write("half", () => response.destroy());
    };
    await expect(ask()).rejects.toThrow(/aborted/);
    const stream = session().request({ ":path": "/", ":authority": "app.example.test" });
    stream.resume();
    await expect(once(stream, "end")).rejects.toThrow(/INTERNAL_ERROR/);
  });

  it("has no body for HEAD, 204 and 304", async () => {
    behave = (request, response) => {
      response.writeHead(
        request.url === "/204" ? 204 : request.url === "/304" ? 304 : 200,
        request.url === "/" ? { "Content-Length": "5" } : {},
      );
      response.end();
    };
    const head = await ask({ method: "HEAD" });
    expect([head.status, head.headers["content-length"]]).toEqual([200, "5"]);
    for (const path of ["/204", "/304"]) {
      expect((await ask({ path })).status).toBe(Number(path.slice(1)));
      expect((await askH2({ ":path": path })).headers[":status"]).toBe(Number(path.slice(1)));
    }
  });
});

describe("an upstream in trouble", () => {
  it("that refuses connections gives way to the next, for a POST with a body too: nothing was sent yet", async () => {
    behave = mirror;
    for (let round = 0; round < 4; round += 1) {
      expect(mirrored((await ask({ host: "pair.example.test", method: "POST", body: "abc" })).body).bytes).toBe(3);
      expect((await ask({ host: "pair.example.test" })).status).toBe(200);
    }
  });

  it("that is the only one gives 502, and the page names no address", async () => {
    const answer = await ask({ host: "dead.example.test" });
    expect(answer.status).toBe(502);
    expect(answer.body).not.toMatch(/127\.0\.0\.1|ECONNREFUSED/);
    expect((await askH2({ ":authority": "dead.example.test" })).headers[":status"]).toBe(502);
  });

  const breaking: [string, Ask, number][] = [
    ["a GET is sent again", {}, 200],
    ["a PUT without a body is sent again", { method: "PUT" }, 200],
    ["a POST is not sent again", { method: "POST" }, 502],
    ["a PUT with a body is not sent again", { method: "PUT", body: "abc" }, 502],
  ];
  test.each(breaking)("that breaks the connection without an answer: %s", async (_name, options, status) => {
    let calls = 0;
    const breaks = createTcpServer((socket) => {
      socket.on("error", () => undefined);
      socket.once("data", () => socket.destroy());
      calls += 1;
    });
    extra.push(() => breaks.close());
    const port = await listen(breaks);
    behave = (request, response) => {
      request.resume();
      response.end("ok");
    };
    farm.set({ sites: [site("breaks", "breaks.example.test", proxy([new URL(`http://127.0.0.1:${port}`), upstreamUrl]))] });
    const answer = await ask({ host: "breaks.example.test", ...options });
    expect([answer.status, calls]).toEqual([status, 1]);
  });

  it("that does not answer in time gives 504 and is not asked twice", async () => {
    let calls = 0;
    behave = () => (calls += 1);
    farm.set({ sites: [site("slow", "slow.example.test", proxy([upstreamUrl], { timeoutMs: 150 }))] });
    expect((await ask({ host: "slow.example.test" })).status).toBe(504);
    expect(calls).toBe(1);
  });

  it("that is slower than the server's limit on silence is waited for, over HTTP/1.1 and HTTP/2", async () => {
    behave = (_request, response) => void setTimeout(() => response.end("late"), 400);
    const hasty = await serveSites([site("app", "app.example.test", proxy([upstreamUrl]))], {}, { idleTimeoutMs: 100 });
    extra.push(() => void hasty.close());
    expect((await ask({ port: hasty.httpPort })).body).toBe("late");
    const own = connectH2(`https://127.0.0.1:${hasty.httpsPort}`, { rejectUnauthorized: false });
    const stream = own.request({ ":path": "/", ":authority": "app.example.test" });
    expect((await buffer(stream)).toString()).toBe("late");
    own.close();
  });

  it("that talks no HTTP gives 502", async () => {
    const odd = createTcpServer((socket) => {
      socket.on("error", () => undefined);
      socket.once("data", () => socket.end("SSH-2.0-OpenSSH_9\r\n"));
    });
    extra.push(() => odd.close());
    const port = await listen(odd);
    farm.set({ sites: [site("odd", "odd.example.test", proxy([new URL(`http://127.0.0.1:${port}`)]))] });
    expect((await ask({ host: "odd.example.test" })).status).toBe(502);
  });

  it("is reached over TLS only when its certificate verifies", async () => {
    const secure = createHttpsServer({ cert: farm.certificate, key: farm.key }, (_request, response) => response.end("over tls"));
    extra.push(() => {
      secure.closeAllConnections();
      secure.close();
    });
    const url = new URL(`https://127.0.0.1:${await listen(secure)}`);
    const trusting = await serveSites([site("tls", "tls.example.test", proxy([url]))], {}, { upstreamCa: [farm.certificate] });
    extra.push(() => void trusting.close());
    farm.set({ sites: [site("tls", "tls.example.test", proxy([url]))] });
    expect((await ask({ host: "tls.example.test" })).status).toBe(502);
    expect((await ask({ host: "tls.example.test", port: trusting.httpPort })).body).toBe("over tls");
  });
});

describe("a client that leaves", () => {
  it("ends the request to the upstream, and is logged as aborted", async () => {
    farm.set({ sites: [site("app", "app.example.test", proxy([upstreamUrl]))] });
    let gone: Promise<unknown> | undefined;
    const arrived = new Promise<void>((resolve) => {
      behave = (request) => {
        request.on("error", () => undefined);
        gone = new Promise((resolve) => request.once("close", resolve));
        resolve();
      };
    });
    const entry = farm.nextEntry();
    const outgoing = httpRequest({ host: "127.0.0.1", port: farm.httpPort, headers: { host: "app.example.test" } });
    outgoing.on("error", () => undefined);
    outgoing.end();
    await arrived;
    outgoing.destroy();
    await gone;
    expect(await entry).toMatchObject({ status: 0, aborted: true, site: "app" });
  });
});

describe("a client of HTTP/2 that cancels", () => {
  it("ends the request to the upstream too, and is logged as aborted", async () => {
    let gone: Promise<unknown> | undefined;
    const arrived = new Promise<void>((resolve) => {
      behave = (request) => {
        request.on("error", () => undefined);
        gone = new Promise((closed) => request.once("close", closed));
        resolve();
      };
    });
    const entry = farm.nextEntry();
    const stream = session().request({ ":path": "/", ":authority": "app.example.test" });
    stream.on("error", () => undefined);
    await arrived;
    stream.close(8); // CANCEL
    await gone;
    expect(await entry).toMatchObject({ status: 0, aborted: true });
  });
});

describe("a request body", () => {
  it("that says it is too large is refused before it is sent on", async () => {
    let calls = 0;
    behave = () => (calls += 1);
    const outgoing = httpRequest({
      host: "127.0.0.1",
      port: farm.httpPort,
      method: "POST",
      headers: { host: "app.example.test", "content-length": "100001", expect: "100-continue" },
    });
    outgoing.on("error", () => undefined);
    let continued = false;
    outgoing.on("continue", () => (continued = true));
    outgoing.flushHeaders();
    const [answer] = (await once(outgoing, "response")) as [IncomingMessage];
    expect([answer.statusCode, answer.headers.connection, continued, calls]).toEqual([413, "close", false, 0]);
    outgoing.destroy();
  });

  it("that turns out too large is refused, over HTTP/1.1 and HTTP/2", async () => {
    behave = (request) => void request.resume();
    const outgoing = httpRequest({
      host: "127.0.0.1",
      port: farm.httpPort,
      method: "POST",
      headers: { host: "app.example.test", "transfer-encoding": "chunked" },
    });
    outgoing.on("error", () => undefined);
    outgoing.write(Buffer.alloc(100_001));
    const [answer] = (await once(outgoing, "response")) as [IncomingMessage];
    expect(answer.statusCode).toBe(413);
    outgoing.destroy();
    expect((await askH2({ ":method": "POST" }, Buffer.alloc(100_001))).headers[":status"]).toBe(413);
  });

  it("is waited for with 100 Continue once the upstream is there", async () => {
    behave = mirror;
    const outgoing = httpRequest({
      host: "127.0.0.1",
      port: farm.httpPort,
      method: "POST",
      headers: { host: "app.example.test", "content-length": "3", expect: "100-continue" },
    });
    outgoing.flushHeaders();
    await once(outgoing, "continue");
    outgoing.end("abc");
    const [answer] = (await once(outgoing, "response")) as [IncomingMessage];
    const seen = mirrored(await text(answer));
    expect([seen.bytes, field(seen, "expect")]).toEqual([3, []]);
  });

  it("may be answered before it is whole", async () => {
    behave = (_request, response) => {
      response.writeHead(403, { Connection: "close" });
      response.end("no");
    };
    const answer = await ask({ method: "POST", body: Buffer.alloc(90_000) });
    expect([answer.status, answer.body]).toEqual([403, "no"]);
  });
});

describe("an upgrade", () => {
  it("to WebSocket is joined both ways, text and binary, and names the client", async () => {
    for (const url of [`ws://127.0.0.1:${farm.httpPort}/socket`, `wss://127.0.0.1:${farm.httpsPort}/socket`]) {
      const entry = farm.nextEntry();
      const socket = new WebSocket(url, {
        headers: { host: "app.example.test", "x-forwarded-for": "10.0.0.1" },
        rejectUnauthorized: false,
      });
      const [hello] = (await once(socket, "message")) as [Buffer];
      expect(JSON.parse(hello.toString())).toMatchObject({
        host: upstreamUrl.host,
        "x-forwarded-for": "198.51.100.7",
        "x-forwarded-proto": url.startsWith("wss") ? "https" : "http",
      });
      for (const message of [Buffer.from("text"), Buffer.alloc(200_000, 7)]) {
        socket.send(message);
        const [echo] = (await once(socket, "message")) as [Buffer];
        expect(echo.equals(message)).toBe(true);
      }
      socket.close();
      await once(socket, "close");
      const logged = await entry;
      expect(logged).toMatchObject({ status: 101, path: "/socket", site: "app" });
      expect(logged.bytes).toBeGreaterThan(200_000);
    }
  });

  it("that the upstream refuses is answered with its answer", async () => {
    behave = (_request, response) => {
      response.writeHead(401, { "X-Why": "no" });
      response.end("no sockets");
    };
    const socket = new WebSocket(`ws://127.0.0.1:${farm.httpPort}/other`, { headers: { host: "app.example.test" } });
    const [, answer] = (await once(socket, "unexpected-response")) as [unknown, IncomingMessage];
    expect([answer.statusCode, answer.headers["x-why"], answer.headers["x-farm-node"]]).toEqual([400, undefined, "web1"]);
    answer.resume();
  });

  it("whose host is unknown gets a status page, not a broken socket", async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${farm.httpPort}/socket`, { headers: { host: "nobody.test" } });
    const [, answer] = (await once(socket, "unexpected-response")) as [unknown, IncomingMessage];
    expect(answer.statusCode).toBe(404);
    answer.resume();
  });

  it("to something else is handed on as a plain request", async () => {
    behave = mirror;
    const answer = await ask({ headers: { connection: "Upgrade, HTTP2-Settings", upgrade: "h2c", "http2-settings": "AAMAAABkAAQ" } });
    const seen = mirrored(answer.body);
    expect([field(seen, "upgrade"), field(seen, "http2-settings"), answer.headers.connection]).toEqual([[], [], "close"]);
  });

  it("ends on both sides when either end leaves, or when the handler closes", async () => {
    const own = await serveSites([site("app", "app.example.test", proxy([upstreamUrl]))]);
    const open = async (): Promise<WebSocket> => {
      const socket = new WebSocket(`ws://127.0.0.1:${own.httpPort}/socket`, { headers: { host: "app.example.test" } });
      await once(socket, "message");
      return socket;
    };
    const first = await open();
    first.terminate();
    const second = await open();
    const closed = once(second, "close");
    await own.handler.close();
    await closed;
    await own.close();
    expect(own.entries.map((entry) => entry.status)).toEqual([101, 101]);
  });

  it("from a client that vanishes mid-handshake harms nobody", async () => {
    behave = mirror;
    const socket = connect(farm.httpPort, "127.0.0.1");
    socket.write("GET /socket HTTP/1.1\r\nHost: app.example.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    socket.resetAndDestroy();
    expect((await ask()).status).toBe(200);
  });
});
