import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { Agent, request } from "node:http";
import { connect as connectH2, type ClientHttp2Session } from "node:http2";
import { buffer } from "node:stream/consumers";
import { promisify } from "node:util";
import { brotliDecompressSync, gunzipSync } from "node:zlib";

import { afterAll, beforeAll, describe, expect, it, test } from "vitest";

import { createLog } from "../base/index.ts";
import { contentTree, serveSites, site, type Farm } from "./testing/site-under-test.ts";

const agent = new Agent({ keepAlive: true });
const run = promisify(execFile);
const big = randomBytes(300_000);
const text = "body { color: red }\n".repeat(500);
let farm: Farm;
let kept: ClientHttp2Session | undefined;

beforeAll(async () => {
  const tree = contentTree({
    "index.html": "<h1>home</h1>",
    "docs/index.html": "<h1>docs</h1>",
    "docs/default.htm": "<h1>default</h1>",
    "only/default.htm": "<h1>default</h1>",
    "empty/readme.txt": "no index here",
    "style.css": text,
    "big.bin": big,
    "big.css": text.repeat(20),
    "tiny.txt": "x",
    "nothing.txt": "",
    "grüße.txt": "hallo",
    "a b.txt": "blank",
    ".env": "SECRET=1",
    ".git/config": "secret",
    "docs/.htpasswd": "secret",
    ".well-known/security.txt": "Contact: mailto:security@example.test",
    ".well-known/.hidden": "secret",
    "percent%41.txt": "literal percent",
    "a..b.txt": "dots inside",
  });
  farm = await serveSites(
    [
      site(
        "www",
        "www.example.test",
        { kind: "content", folder: "www", index: ["index.html", "default.htm"] },
        { hsts: { maxAgeS: 86_400, includeSubDomains: true, preload: false } },
      ),
    ],
    { www: tree },
  );
});

afterAll(() => {
  agent.destroy();
  kept?.close();
  return farm.close();
});

interface Answer {
  readonly status: number;
  readonly version: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

/** Asks with curl, which changes nothing of the path. */
async function curl(path: string, ...args: string[]): Promise<Answer> {
  return ask("http", path, args);
}

async function ask(scheme: "http" | "https", path: string, args: readonly string[]): Promise<Answer> {
  if (scheme === "http" && args.every((arg, at) => at % 2 === 1 || arg === "-H")) return plainly(path, args);
  if (scheme === "https" && args.every((arg, at) => at % 2 === 1 || arg === "-H")) return overH2(path, args);
  const [bindingPort, port] = scheme === "http" ? [80, farm.httpPort] : [443, farm.httpsPort];
  const { stdout } = await run(
    "curl",
    ["-sk", "--path-as-is", "-i", "--connect-to", `::127.0.0.1:${port}`, ...args, `${scheme}://www.example.test:${bindingPort}${path}`],
    { encoding: "buffer", maxBuffer: 10_000_000 },
  );
  const end = stdout.indexOf("\r\n\r\n");
  const [first = "", ...lines] = stdout.subarray(0, end).toString("latin1").split("\r\n");
  const headers = new Map(lines.map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 1).trim()]));
  return { status: Number(first.split(" ")[1]), version: first.split(" ")[0] ?? "", headers, body: stdout.subarray(end + 4) };
}

/** The same without a process, for what differs in path and fields only. */
function plainly(path: string, args: readonly string[]): Promise<Answer> {
  const fields = args
    .filter((_arg, at) => at % 2 === 1)
    .flatMap((field) => [field.slice(0, field.indexOf(":")), field.slice(field.indexOf(":") + 2)]);
  return new Promise((resolve, reject) => {
    const headers = ["Host", "www.example.test", ...fields];
    const ask = request({ host: "127.0.0.1", port: farm.httpPort, path, headers, agent }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("end", () => {
        const given = new Map(Object.entries(answer.headers).map(([name, value]) => [name, String(value)]));
        resolve({ status: answer.statusCode ?? 0, version: `HTTP/${answer.httpVersion}`, headers: given, body: Buffer.concat(chunks) });
      });
    });
    ask.on("error", reject);
    ask.end();
  });
}

/** One connection for all, opened again when the server has ended it for its silence. */
function session(): ClientHttp2Session {
  if (kept === undefined || kept.closed || kept.destroyed)
    kept = connectH2(`https://127.0.0.1:${farm.httpsPort}`, { rejectUnauthorized: false });
  return kept;
}

async function overH2(path: string, args: readonly string[]): Promise<Answer> {
  const fields = args
    .filter((_arg, at) => at % 2 === 1)
    .map((field) => [field.slice(0, field.indexOf(":")).toLowerCase(), field.slice(field.indexOf(":") + 2)]);
  const stream = session().request({ ":path": path, ":authority": "www.example.test", ...Object.fromEntries(fields) });
  const [answer] = (await once(stream, "response")) as [Record<string, unknown>];
  const headers = new Map(Object.entries(answer).map(([name, value]) => [name, String(value)]));
  return { status: Number(answer[":status"]), version: "HTTP/2", headers, body: await buffer(stream) };
}

describe("a path", () => {
  const paths: [string, string, number, string?][] = [
    ["of a file gives the file", "/tiny.txt", 200, "x"],
    ["of the root gives its index", "/", 200, "<h1>home</h1>"],
    ["of a folder gives its first index", "/docs/", 200, "<h1>docs</h1>"],
    ["of a folder without the first index gives the second", "/only/", 200, "<h1>default</h1>"],
    ["of a folder without an index is absent", "/empty/", 404],
    ["of a folder without an index and slash is absent", "/empty", 404],
    ["with a query gives the file", "/tiny.txt?a=1&b=../..", 200, "x"],
    ["with an escaped letter gives the file", "/t%69ny.txt", 200, "x"],
    ["with an escaped blank gives the file", "/a%20b.txt", 200, "blank"],
    ["in UTF-8 escapes gives the file", "/gr%C3%BC%C3%9Fe.txt", 200, "hallo"],
    ["is decoded once only", "/percent%2541.txt", 200, "literal percent"],
    ["is not decoded twice into dots", "/%252e%252e/etc/passwd", 404],
    ["with dots inside a name gives the file", "/a..b.txt", 200, "dots inside"],
    ["below .well-known gives the file", "/.well-known/security.txt", 200, "Contact: mailto:security@example.test"],
    ["of nothing is absent", "/nope", 404],
    ["in another case is absent", "/TINY.TXT", 404],
    ["up and out is absent", "/../../../../etc/passwd", 404],
    ["up and out in escapes is absent", "/%2e%2e/%2e%2e/etc/passwd", 404],
    ["up and out in mixed escapes is absent", "/.%2e/%2E./etc/passwd", 404],
    ["up with an escaped slash is absent", "/..%2fetc%2fpasswd", 404],
    ["with an escaped slash is absent", "/docs%2Findex.html", 404],
    ["up and back in is absent", "/docs/../tiny.txt", 404],
    ["with a dot segment is absent", "/./tiny.txt", 404],
    ["with a backslash is absent", "/..\\..\\etc\\passwd", 404],
    ["with an escaped backslash is absent", "/..%5c..%5cetc", 404],
    ["with two slashes is absent", "//tiny.txt", 404],
    ["with two slashes inside is absent", "/docs//index.html", 404],
    ["that looks like another host is absent", "//evil.test/docs", 404],
    ["with NUL is malformed", "/tiny.txt%00.html", 400],
    ["with a line break is malformed", "/a%0d%0aSet-Cookie:%20x=1", 400],
    ["with a broken escape is malformed", "/%zz", 400],
    ["with half an escape is malformed", "/a%4", 400],
    ["in overlong UTF-8 is malformed", "/%c0%ae%c0%ae/etc/passwd", 400],
    ["in Latin-1 escapes is malformed", "/gr%FC", 400],
    ["of a dotfile is absent", "/.env", 404],
    ["of an escaped dotfile is absent", "/%2eenv", 404],
    ["in a dotfolder is absent", "/.git/config", 404],
    ["of a dotfile in a folder is absent", "/docs/.htpasswd", 404],
    ["of a dotfile below .well-known is absent", "/.well-known/.hidden", 404],
    ["of .well-known itself is absent", "/.well-known", 404],
    ["with an alternate data stream is absent", "/tiny.txt::$DATA", 404],
    ["with a trailing dot is absent", "/tiny.txt.", 404],
    ["with a semicolon is absent", "/tiny.txt;.html", 404],
  ];
  test.each(paths)("%s", async (_name, path, status, body) => {
    const answer = await curl(path);
    expect([answer.status, body === undefined ? undefined : answer.body.toString()]).toEqual([status, body]);
    if (status >= 400) expect(answer.body.toString()).not.toContain("SECRET");
  });

  it("of a folder without its slash is sent there, with the query and never to another host", async () => {
    const answer = await curl("/docs?x=1");
    expect([answer.status, answer.headers.get("location")]).toEqual([301, "/docs/?x=1"]);
  });
});

describe("a file", () => {
  it("comes with type, length, validators and the node's name", async () => {
    const { headers, status } = await curl("/style.css");
    expect(status).toBe(200);
    expect(headers.get("content-type")).toBe("text/css; charset=utf-8");
    expect(headers.get("content-length")).toBe(String(text.length));
    expect(headers.get("etag")).toMatch(/^"[0-9a-f]{64}"$/);
    expect(headers.get("last-modified")).toBe("Fri, 02 Jan 2026 03:04:05 GMT");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("vary")).toBe("Accept-Encoding");
    expect(headers.get("x-farm-node")).toBe("web1");
    expect(headers.has("strict-transport-security")).toBe(false);
  });

  const protocols: [string, "http" | "https", string[], string][] = [
    ["HTTP/1.1 in the clear", "http", ["--http1.1"], "HTTP/1.1"],
    ["HTTP/1.1 over TLS", "https", ["--http1.1"], "HTTP/1.1"],
    ["HTTP/2", "https", ["--http2"], "HTTP/2"],
    ["HTTP/1.1 with an offer to upgrade to h2c", "http", ["--http2"], "HTTP/1.1"],
  ];
  test.each(protocols)("is whole over %s, small from memory and large from the disk", async (_name, scheme, args, version) => {
    for (const [path, content] of [
      ["/tiny.txt", Buffer.from("x")],
      ["/nothing.txt", Buffer.alloc(0)],
      ["/big.bin", big],
    ] as const) {
      for (let round = 0; round < 2; round += 1) {
        const answer = await ask(scheme, path, args);
        expect([answer.status, answer.version, answer.body.equals(content)]).toEqual([200, version, true]);
        expect(answer.headers.get("strict-transport-security")).toBe(scheme === "https" ? "max-age=86400; includeSubDomains" : undefined);
      }
      const head = await ask(scheme, path, [...args, "--head"]);
      expect([head.status, head.headers.get("content-length"), head.body.length]).toEqual([200, String(content.length), 0]);
    }
  });

  const encodings: [string, string, string | undefined][] = [
    ["br is preferred", "gzip, deflate, br", "br"],
    ["gzip when that is all", "gzip", "gzip"],
    ["weights decide", "br;q=0.1, gzip;q=0.9", "gzip"],
    ["a star takes br", "*", "br"],
    ["nothing known", "deflate, zstd", undefined],
    ["br refused", "br;q=0", undefined],
    ["identity preferred", "identity;q=1, gzip;q=0.5", undefined],
    ["an absurd weight counts as none", "gzip;q=banana", undefined],
  ];
  test.each(encodings)("is compressed as the client can: %s", async (_name, accept, encoding) => {
    for (const path of ["/style.css", "/big.css"]) {
      for (const scheme of ["http", "https"] as const) {
        const { headers, body } = await ask(scheme, path, ["-H", `Accept-Encoding: ${accept}`]);
        expect(headers.get("content-encoding")).toBe(encoding);
        const plain = encoding === "br" ? brotliDecompressSync(body) : encoding === "gzip" ? gunzipSync(body) : body;
        expect(plain.toString()).toBe(path === "/style.css" ? text : text.repeat(20));
        expect(headers.get("content-length")).toBe(String(body.length));
        expect(headers.get("vary")).toBe("Accept-Encoding");
      }
    }
  });

  it("stays as it is when compression gains nothing, or its type has none to gain", async () => {
    for (const path of ["/tiny.txt", "/big.bin", "/nothing.txt"]) {
      for (let round = 0; round < 2; round += 1) {
        expect((await curl(path, "--compressed", "-H", "Accept-Encoding: br, gzip")).headers.get("content-encoding")).toBeUndefined();
      }
    }
  });

  it("has another strong ETag for every encoding", async () => {
    const tags = await Promise.all(
      ["br", "gzip", "identity"].map(async (name) => (await curl("/style.css", "-H", `Accept-Encoding: ${name}`)).headers.get("etag")),
    );
    expect(new Set(tags).size).toBe(3);
  });

  it("is not sent again to who has it", async () => {
    for (const scheme of ["http", "https"] as const) {
      for (const path of ["/style.css", "/big.bin"]) {
        for (const encoding of ["br", "identity"]) {
          const accept = ["-H", `Accept-Encoding: ${encoding}`];
          const tag = (await ask(scheme, path, accept)).headers.get("etag") ?? "";
          const same = await ask(scheme, path, [...accept, "-H", `If-None-Match: "other", W/${tag}`]);
          expect([same.status, same.body.length, same.headers.get("etag")]).toEqual([304, 0, tag]);
          expect((await ask(scheme, path, [...accept, "-H", 'If-None-Match: "other"'])).status).toBe(200);
        }
        expect((await ask(scheme, path, ["-H", "If-Modified-Since: Fri, 02 Jan 2026 03:04:05 GMT"])).status).toBe(304);
        expect((await ask(scheme, path, ["-H", "If-Modified-Since: Fri, 02 Jan 2026 03:04:04 GMT"])).status).toBe(200);
        expect((await ask(scheme, path, ["-H", "If-Modified-Since: yesterday"])).status).toBe(200);
      }
    }
  });

  it("is refused when the client means another one", async () => {
    const tag = (await curl("/style.css")).headers.get("etag") ?? "";
    expect((await curl("/style.css", "-H", 'If-Match: "other"')).status).toBe(412);
    expect((await curl("/style.css", "-H", `If-Match: ${tag}`)).status).toBe(200);
  });

  const ranges: [string, string, number, (whole: Buffer) => Buffer][] = [
    ["the first bytes", "bytes=0-9", 206, (whole) => whole.subarray(0, 10)],
    ["from the middle", "bytes=299990-", 206, (whole) => whole.subarray(299_990)],
    ["the last bytes", "bytes=-5", 206, (whole) => whole.subarray(-5)],
    ["two that touch are one", "bytes=0-4,5-9", 206, (whole) => whole.subarray(0, 10)],
    ["two apart are answered with the whole", "bytes=0-1,100-101", 200, (whole) => whole],
    ["another unit is ignored", "lines=1-2", 200, (whole) => whole],
  ];
  test.each(ranges)("is given in part: %s", async (_name, range, status, part) => {
    for (const scheme of ["http", "https"] as const) {
      const answer = await ask(scheme, "/big.bin", ["-H", `Range: ${range}`]);
      expect([answer.status, answer.body.equals(part(big)), answer.headers.get("x-farm-node")]).toEqual([status, true, "web1"]);
    }
  });

  it("says so when it has no such part, and checks If-Range", async () => {
    const beyond = await curl("/big.bin", "-H", "Range: bytes=300000-");
    expect([beyond.status, beyond.headers.get("content-range")]).toEqual([416, "bytes */300000"]);
    const tag = (await curl("/big.bin")).headers.get("etag") ?? "";
    expect((await curl("/big.bin", "-H", "Range: bytes=0-1", "-H", `If-Range: ${tag}`)).status).toBe(206);
    expect((await curl("/big.bin", "-H", "Range: bytes=0-1", "-H", 'If-Range: "old"')).status).toBe(200);
  });

  it("is read, not written", async () => {
    for (const method of ["POST", "PUT", "DELETE", "PATCH"]) {
      const answer = await curl("/tiny.txt", "-X", method, "-d", "x");
      expect([answer.status, answer.headers.get("allow")]).toEqual([405, "GET, HEAD, OPTIONS"]);
    }
    expect((await curl("/tiny.txt", "-X", "OPTIONS")).status).toBe(204);
  });
});

describe("a body that nobody reads", () => {
  it("does not hold up the other requests of an HTTP/2 connection", async () => {
    for (let round = 0; round < 8; round += 1) {
      const stream = session().request({ ":method": "POST", ":path": "/tiny.txt", ":authority": "www.example.test" });
      stream.on("error", () => undefined);
      stream.write(Buffer.alloc(60_000));
      const [answer] = (await once(stream, "response")) as [Record<string, unknown>];
      expect(answer[":status"]).toBe(405);
      stream.resume();
    }
    expect((await ask("https", "/big.bin", [])).body.equals(big)).toBe(true);
  });
});

describe("the access log of a file from the disk", () => {
  test.each(["http", "https"] as const)("has its length once it is sent, over %s", async (scheme) => {
    const entry = farm.nextEntry();
    await ask(scheme, "/big.bin", []);
    expect(await entry).toMatchObject({ status: 200, bytes: big.length, aborted: false });
  });

  it("says when the client left before the end", async () => {
    const entry = farm.nextEntry();
    const stream = session().request({ ":path": "/big.bin", ":authority": "www.example.test" });
    await once(stream, "data");
    stream.close(8); // CANCEL
    expect(await entry).toMatchObject({ status: 200, aborted: true });
  });
});

describe("a fault", () => {
  it("of this server ends in 500 and a line, not in the end of the process", async () => {
    const lines: string[] = [];
    const diagnostics = createLog({ write: (line) => lines.push(line), now: () => 0 });
    const broken = await serveSites([site("s", undefined, { kind: "content", folder: "s", index: [] })], {}, { diagnostics });
    broken.set({ fault: new Error("planted fault") });
    const { stdout } = await run("curl", ["-s", "-o", "/dev/null", "-w", "%{http_code}", `http://127.0.0.1:${broken.httpPort}/x`]);
    await broken.close();
    expect([stdout, lines.length]).toEqual(["500", 1]);
    expect(lines[0]).toContain("planted fault");
  });
});

describe("a tree", () => {
  it("is switched for the next request, and what is missing on the disk is an error of the server", async () => {
    const one = contentTree({ "index.html": "one" });
    const two = contentTree({ "index.html": "two" });
    const lost = { ...contentTree({}), digest: "lost", files: two.files };
    const lines: string[] = [];
    const diagnostics = createLog({ write: (line) => lines.push(line), now: () => 0 });
    const small = await serveSites(
      [site("s", "www.example.test", { kind: "content", folder: "s", index: ["index.html"] })],
      { s: one },
      { diagnostics },
    );
    const get = async (): Promise<string> => {
      const { stdout } = await run("curl", [
        "-s",
        "-w",
        "%{http_code}",
        "-H",
        "Host: www.example.test",
        `http://127.0.0.1:${small.httpPort}/`,
      ]);
      return stdout.replace(/[\s\S]*<p>/, "").replace(/<\/p>[\s\S]*?(\d+)$/, "$1");
    };
    try {
      expect(await get()).toBe("one200");
      small.set({ content: { s: two } });
      expect(await get()).toBe("two200");
      small.set({ content: { s: { ...lost, files: new Map([["index.html", { size: 3, sha256: "00", mtimeMs: 0 }]]) } } });
      expect(await get()).toMatch(/500$/);
      small.set({ content: { s: { ...two, files: new Map([["index.html", { size: 99, sha256: "01", mtimeMs: 0 }]]) } } });
      expect(await get()).toMatch(/500$/);
      expect(lines.map((line) => (JSON.parse(line) as { code: string }).code)).toEqual(["INTERNAL", "CONTENT_DAMAGED"]);
      small.set({ content: {} });
      expect(await get()).toMatch(/503$/);
    } finally {
      await small.close();
    }
  });
});
