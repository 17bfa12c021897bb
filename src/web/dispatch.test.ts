import { once } from "node:events";
import { connect as connectH2 } from "node:http2";
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";

import { afterAll, beforeAll, describe, expect, it, test } from "vitest";

import { contentTree, serveSites, site, type Farm } from "./testing/site-under-test.ts";

let farm: Farm;
const serve = { kind: "content", folder: "www", index: ["index.html"] } as const;
const hsts = { maxAgeS: 31_536_000, includeSubDomains: false, preload: true };

beforeAll(async () => {
  const tree = contentTree({ "index.html": "home" });
  farm = await serveSites(
    [
      site("www", "www.example.test", serve, { hsts }),
      site("secure", "secure.example.test", serve, { redirectToHttps: true, hsts }),
      site("old", "old.example.test", { kind: "redirect", to: "https://new.example.test/shop/", status: 308, keepPath: true }),
      site("gone", "gone.example.test", { kind: "redirect", to: "https://new.example.test/?from=gone", status: 302, keepPath: false }),
      site("waiting", "waiting.example.test", { kind: "content", folder: "none", index: [] }),
      site("any", "*.other.test", serve),
    ],
    { www: tree },
  );
});

afterAll(() => farm.close());

interface Answer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** Sends these bytes and reads until the server closes. */
async function raw(bytes: string, secure = false): Promise<Answer> {
  const socket = secure
    ? connectTls({ host: "127.0.0.1", port: farm.httpsPort, rejectUnauthorized: false, ALPNProtocols: ["http/1.1"] })
    : connect(farm.httpPort, "127.0.0.1");
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.write(bytes, "latin1");
  await once(socket, "end");
  socket.destroy();
  const text = Buffer.concat(chunks).toString("latin1");
  const [head = "", body = ""] = text.split(/\r\n\r\n(.*)/s);
  return { status: Number(head.split(" ")[1]), head, body };
}

const ask = (host: string, target = "/", secure = false, more = ""): Promise<Answer> =>
  raw(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n${more}\r\n`, secure);

async function h2(headers: Record<string, string>): Promise<{ status: number; body: string; headers: Record<string, unknown> }> {
  const session = connectH2(`https://127.0.0.1:${farm.httpsPort}`, { rejectUnauthorized: false });
  const stream = session.request({ ":path": "/", ...headers });
  const [answer] = (await once(stream, "response")) as [Record<string, unknown>];
  let body = "";
  for await (const chunk of stream) body += String(chunk);
  session.close();
  return { status: Number(answer[":status"]), body, headers: answer };
}

describe("the site is found by the host", () => {
  const hosts: [string, string, number][] = [
    ["as it is written", "www.example.test", 200],
    ["in upper case", "WWW.Example.TEST", 200],
    ["with a trailing dot", "www.example.test.", 200],
    ["with a port", "www.example.test:8080", 200],
    ["with an empty port", "www.example.test:", 200],
    ["by a wildcard", "a.other.test", 200],
    ["a host nobody serves", "nobody.test", 404],
    ["an address nobody serves", "127.0.0.1", 404],
    ["an IPv6 address nobody serves", "[::1]:80", 404],
    ["an empty host", "", 400],
    ["a host with a path", "www.example.test/x", 400],
    ["a host with user and password", "user@www.example.test", 400],
    ["a host with a blank", "www.example test", 400],
    ["a host with a port that is none", "www.example.test:http", 400],
    ["a host with a port out of range", "www.example.test:70000", 400],
    ["a host that climbs", "../../etc", 400],
    ["a host of 300 letters", "a".repeat(300), 400],
    ["a host with markup", "<script>", 400],
  ];
  test.each(hosts)("%s", async (_name, host, status) => {
    const answer = await ask(host);
    expect(answer.status).toBe(status);
    if (status >= 400) expect(answer.body).toContain(String(status));
  });

  const requests: [string, string, number][] = [
    ["two hosts are refused", "GET / HTTP/1.1\r\nHost: www.example.test\r\nHost: www.example.test\r\nConnection: close\r\n\r\n", 400],
    [
      "two hosts in different case are refused",
      "GET / HTTP/1.1\r\nHost: www.example.test\r\nhOST: other.test\r\nConnection: close\r\n\r\n",
      400,
    ],
    ["no host is refused", "GET / HTTP/1.1\r\nConnection: close\r\n\r\n", 400],
    ["no host in HTTP/1.0 is refused", "GET / HTTP/1.0\r\n\r\n", 400],
    ["a host in HTTP/1.0 is enough", "GET / HTTP/1.0\r\nHost: www.example.test\r\n\r\n", 200],
    [
      "the absolute form names its own host",
      "GET http://www.example.test/ HTTP/1.1\r\nHost: nobody.test\r\nConnection: close\r\n\r\n",
      200,
    ],
    [
      "the absolute form without a path is the root",
      "GET http://www.example.test HTTP/1.1\r\nHost: www.example.test\r\nConnection: close\r\n\r\n",
      200,
    ],
    ["another scheme is refused", "GET ftp://www.example.test/ HTTP/1.1\r\nHost: www.example.test\r\nConnection: close\r\n\r\n", 400],
    ["the asterisk form is refused", "OPTIONS * HTTP/1.1\r\nHost: www.example.test\r\nConnection: close\r\n\r\n", 400],
    ["a target in Latin-1 is refused", "GET /\xfc HTTP/1.1\r\nHost: www.example.test\r\nConnection: close\r\n\r\n", 400],
  ];
  test.each(requests)("%s", async (_name, bytes, status) => expect((await raw(bytes)).status).toBe(status));

  it("a host that the connection's certificate does not cover is misdirected, over HTTP/1.1 and HTTP/2", async () => {
    expect((await ask("www.example.test", "/", true)).status).toBe(200);
    const answer = await ask("a.other.test", "/", true);
    expect([answer.status, answer.body.includes("does not cover a.other.test")]).toEqual([421, true]);
    expect((await ask("a.b.example.test", "/", true)).status).toBe(421);
    expect((await h2({ ":authority": "a.other.test" })).status).toBe(421);
    expect((await h2({ ":authority": "www.example.test" })).body).toBe("home");
  });

  it("a host that asks more of the handshake than the connection was made by is misdirected; what it asks may change at any time", async () => {
    const demands = (clientRule: string | undefined, minVersion: "1.2" | "1.3" = "1.2") => ({
      demands: () => ({ minVersion, ...(clientRule === undefined ? {} : { clientRule }) }),
    });
    farm.set(demands("require staff.pem x"));
    const answer = await ask("www.example.test", "/", true);
    expect([answer.status, answer.body.includes("handshake does not meet the rules of www.example.test")]).toEqual([421, true]);
    expect((await h2({ ":authority": "www.example.test" })).status).toBe(421);
    expect((await ask("www.example.test", "/")).status).toBe(200); // plain http has no handshake
    farm.set(demands(undefined, "1.3"));
    expect((await h2({ ":authority": "www.example.test" })).status).toBe(421);
    farm.set({});
    expect((await h2({ ":authority": "www.example.test" })).status).toBe(200);
  });

  it("an authority beside another host is refused in HTTP/2", async () => {
    expect((await h2({ ":authority": "www.example.test", host: "secure.example.test" })).status).toBe(400);
    expect((await h2({ ":authority": "www.example.test", host: "www.example.test" })).status).toBe(200);
  });

  it("one connection may carry several hosts, and a new configuration holds from the next request on", async () => {
    const session = connectH2(`https://127.0.0.1:${farm.httpsPort}`, { rejectUnauthorized: false });
    const status = async (authority: string): Promise<unknown> => {
      const stream = session.request({ ":path": "/", ":authority": authority });
      const [headers] = (await once(stream, "response")) as [Record<string, unknown>];
      stream.resume();
      await once(stream, "end");
      return [headers[":status"], headers["x-farm-node"]];
    };
    expect(await status("www.example.test")).toEqual([200, "web1"]);
    expect(await status("gone.example.test")).toEqual([302, "web1"]);
    expect(await status("www.example.test")).toEqual([200, "web1"]);
    farm.set({ limits: { nodeHeader: undefined as never } });
    expect(await status("www.example.test")).toEqual([200, undefined]);
    farm.set({ limits: {} });
    expect(await status("www.example.test")).toEqual([200, "web1"]);
    session.close();
  });

  it("a site whose content has not arrived says so", async () => {
    const answer = await ask("waiting.example.test");
    expect([answer.status, /Retry-After: 2/.test(answer.head)]).toEqual([503, true]);
  });
});

describe("a redirect", () => {
  const redirects: [string, string, string, number, string][] = [
    [
      "to https keeps path and query and names the public port",
      "secure.example.test:8080",
      "/a%20b?x=1&y=%2F",
      301,
      "https://secure.example.test:8443/a%20b?x=1&y=%2F",
    ],
    ["to https writes the host in its normal form", "Secure.Example.TEST.", "/", 301, "https://secure.example.test:8443/"],
    ["to another site keeps the path when it is told to", "old.example.test", "/a/b?x=1", 308, "https://new.example.test/shop/a/b?x=1"],
    ["to another site drops the path when it is told to", "gone.example.test", "/a/b?x=1", 302, "https://new.example.test/?from=gone"],
    [
      "to https of two slashes stays on the host",
      "secure.example.test",
      "//evil.test/",
      301,
      "https://secure.example.test:8443//evil.test/",
    ],
  ];
  test.each(redirects)("%s", async (_name, host, target, status, location) => {
    const answer = await ask(host, target);
    expect([answer.status, /^Location: (.*)$/m.exec(answer.head)?.[1]?.trim()]).toEqual([status, location]);
  });

  it("to https keeps the method of a POST", async () => {
    const answer = await raw("POST / HTTP/1.1\r\nHost: secure.example.test\r\nContent-Length: 2\r\nConnection: close\r\n\r\nab");
    expect(answer.status).toBe(308);
  });

  it("to https never happens on https, nor for a site without an https binding", async () => {
    expect((await ask("secure.example.test", "/", true)).status).toBe(200);
    const binding = { protocol: "http", address: "*", port: 80, sni: false, certificate: "central" } as const;
    const only = await serveSites([site("only", undefined, serve, { redirectToHttps: true, bindings: [binding] })]);
    try {
      const socket = connect(only.httpPort, "127.0.0.1");
      socket.write("GET / HTTP/1.1\r\nHost: x.test\r\nConnection: close\r\n\r\n");
      const [first] = (await once(socket, "data")) as [Buffer];
      expect(first.toString()).toMatch(/^HTTP\/1\.1 403 /);
      socket.destroy();
    } finally {
      await only.close();
    }
  });

  it("carries HSTS on https only", async () => {
    expect((await ask("www.example.test", "/", true)).head).toContain("Strict-Transport-Security: max-age=31536000; preload");
    expect((await ask("secure.example.test")).head).not.toContain("Strict-Transport-Security");
  });
});

describe("a status page", () => {
  it("is HTML, or JSON for who prefers it", async () => {
    const html = await ask("nobody.test");
    expect(html.head).toMatch(/Content-Type: text\/html/);
    const json = await ask("nobody.test", "/", false, "Accept: application/json\r\n");
    expect(JSON.parse(json.body)).toEqual({ title: "Not Found", status: 404, detail: "No site named nobody.test is served here." });
    expect((await ask("nobody.test", "/", false, "Accept: text/html,application/json;q=0.9\r\n")).head).toMatch(/text\/html/);
  });

  it("has no body for HEAD", async () => {
    const answer = await raw("HEAD / HTTP/1.1\r\nHost: nobody.test\r\nConnection: close\r\n\r\n");
    expect([answer.status, answer.body]).toEqual([404, ""]);
  });
});

describe("what is no HTTP request", () => {
  it("TLS on the plain port gets a TLS alert that OpenSSL understands", async () => {
    const socket = connectTls({ host: "127.0.0.1", port: farm.httpPort, servername: "www.example.test", rejectUnauthorized: false });
    const [error] = (await once(socket, "error")) as [Error];
    expect(error.message).toMatch(/SSL alert number 10/);
    expect(farm.clientErrors.at(-1)).toBe("tls-on-plain-port");
  });

  const broken: [string, string, number, string][] = [
    ["garbage is a bad request", "hello there\r\n\r\n", 400, "malformed"],
    [
      "a header that is too large is told",
      `GET / HTTP/1.1\r\nHost: www.example.test\r\nX: ${"a".repeat(20_000)}\r\n\r\n`,
      431,
      "header-too-large",
    ],
    [
      "length and chunks together are refused",
      "POST / HTTP/1.1\r\nHost: www.example.test\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      400,
      "malformed",
    ],
    ["a control character in a field is refused", "GET / HTTP/1.1\r\nHost: www.example.test\r\nX: a\0b\r\n\r\n", 400, "malformed"],
  ];
  test.each(broken)("%s", async (_name, bytes, status, kind) => {
    expect((await raw(bytes)).status).toBe(status);
    expect(farm.clientErrors.at(-1)).toBe(kind);
  });
});

describe("the access log", () => {
  it("gets one entry for a request, as the client sent it", async () => {
    const entry = farm.nextEntry();
    await ask("www.example.test", "/?q=1", false, "User-Agent: test agent\r\nReferer: http://from.test/\r\n");
    expect(await entry).toMatchObject({
      protocol: "http",
      httpVersion: "1.1",
      method: "GET",
      host: "www.example.test",
      path: "/",
      query: "q=1",
      port: 80,
      site: "www",
      clientAddress: "198.51.100.7",
      userAgent: "test agent",
      referer: "http://from.test/",
      status: 200,
      bytes: 4,
      aborted: false,
    });
  });

  it("gets refused requests too, and nothing while it is off", async () => {
    const entry = farm.nextEntry();
    await ask("nobody.test");
    expect(await entry).toMatchObject({ status: 404, site: "" });
    farm.set({ limits: { accessLog: "off" } });
    const before = farm.entries.length;
    await ask("www.example.test");
    farm.set({ limits: {} });
    expect(farm.entries.length).toBe(before);
  });
});
