import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it, test } from "vitest";

import { createLog, FarmError, parseIpAddress, Secret, silentLog, systemClock } from "../base/index.ts";
import { createClient, httpTransport } from "./client.ts";
import { createDispatch } from "./dispatch.ts";
import { createHandlers, createLocalHandlers } from "./handlers.ts";
import { startAdminServer, type AdminServer } from "./server.ts";
import { noFarm } from "./testing/fake-operations.ts";
import { localLogIn } from "./testing/local-log-in.ts";
import { openToken } from "./token.ts";

const TOKEN = "k".repeat(43);
const LISTEN = { address: parseIpAddress("127.0.0.1") ?? ("" as never), port: 0 };
const logged: string[] = [];
const log = createLog({ write: (line) => logged.push(line), now: () => 0, level: "debug" });
let server: AdminServer;

const broken = noFarm([], { undrain: () => Promise.reject(new Error("a secret of the machine")) });
const dispatch = createDispatch(createHandlers(broken, createLocalHandlers({ clock: systemClock, log: silentLog })));

beforeAll(async () => {
  server = await startAdminServer({
    dispatch,
    logIn: localLogIn(new Secret(TOKEN)),
    listen: LISTEN,
    version: "9.9.9",
    clock: systemClock,
    log,
  });
});
afterAll(() => server.close());

interface Asking {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: { readonly code?: string; readonly message?: string; readonly remedy?: string };
}

/** One raw request, with the token unless told otherwise. */
function ask({ method = "GET", path = "/v1/status", headers = {}, body }: Asking = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(server.url, { method, path, headers: { authorization: `Bearer ${TOKEN}`, ...headers } }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: JSON.parse(Buffer.concat(chunks).toString() || "{}") as Answer["body"],
        }),
      );
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

const post = (body: string | Buffer): Asking => ({ method: "POST", path: "/v1/config/validate", body });

describe("a request is refused", () => {
  it.each<[string, Asking, number, string]>([
    ["without a token", { headers: { authorization: "" } }, 401, "ADMIN_UNAUTHORIZED"],
    ["with another token", { headers: { authorization: `Bearer ${"x".repeat(43)}` } }, 401, "ADMIN_UNAUTHORIZED"],
    ["with a part of the token", { headers: { authorization: `Bearer ${TOKEN.slice(1)}` } }, 401, "ADMIN_UNAUTHORIZED"],
    ["with the token in another scheme", { headers: { authorization: `Basic ${TOKEN}` } }, 401, "ADMIN_UNAUTHORIZED"],
    ["for the OpenAPI document without a token", { path: "/openapi.json", headers: { authorization: "" } }, 401, "ADMIN_UNAUTHORIZED"],
    ["by a name that was pointed at this machine", { headers: { host: "evil.example.com" } }, 403, "ADMIN_HOST_REFUSED"],
    ["by a name that begins like the loopback's", { headers: { host: "127.0.0.1.evil.example" } }, 403, "ADMIN_HOST_REFUSED"],
    ["by another address of the machine", { headers: { host: "10.0.0.4:8499" } }, 403, "ADMIN_HOST_REFUSED"],
    ["at an address that is none", { path: "/v1/nothing" }, 404, "ADMIN_ROUTE_ABSENT"],
    ["at an address with another's host", { path: "//evil.example/v1/status" }, 404, "ADMIN_ROUTE_ABSENT"],
    [
      "for files of the server's machine",
      { method: "POST", path: "/v1/iis/import", body: `{"file":"/etc/passwd"}` },
      404,
      "ADMIN_ROUTE_ABSENT",
    ],
    ["with another method", { method: "DELETE" }, 405, "ADMIN_METHOD_WRONG"],
    ["with a body that is no JSON", post("{"), 400, "ADMIN_INPUT_INVALID"],
    ["with a body that is no object", post("[1]"), 400, "ADMIN_INPUT_INVALID"],
    ["with a body that is not UTF-8", post(Buffer.from([0x7b, 0xff, 0x7d])), 400, "ADMIN_INPUT_INVALID"],
    ["without what the input needs", post("{}"), 400, "ADMIN_INPUT_INVALID"],
    ["with a name given twice", { path: "/v1/explain?port=443&port=444" }, 400, "ADMIN_INPUT_INVALID"],
    ["with a broken escape", { method: "DELETE", path: "/v1/nodes/%zz/drain" }, 400, "ADMIN_INPUT_INVALID"],
  ])("%s", async (_name, asking, status, code) => {
    const answer = await ask(asking);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    expect(answer.body.remedy).not.toBe("");
    expect(JSON.stringify(answer.body)).not.toContain(TOKEN);
  });

  it("when its body is larger than 5 MiB, said or not, before it is all there", async () => {
    const big = Buffer.alloc(5 * 1024 * 1024 + 1, 0x20);
    expect((await ask(post(big))).status).toBe(413);
    const unsaid = await ask({ ...post(big), headers: { "transfer-encoding": "chunked" } });
    expect([unsaid.status, unsaid.body.code]).toEqual([413, "ADMIN_BODY_TOO_LARGE"]);
  });
});

describe("a request is served", () => {
  it.each([
    ["localhost", "localhost"],
    ["localhost with a port, in any case", "LocalHost:8499"],
    ["the IPv6 loopback", "[::1]:8499"],
  ])("by the name of %s", async (_name, host) => {
    expect((await ask({ headers: { host } })).status).toBe(200);
  });

  it("without any word for other sites, and never from a cache", async () => {
    const { headers } = await ask({ headers: { origin: "https://evil.example.com" } });
    expect(Object.keys(headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
    expect(headers).toMatchObject({ "cache-control": "no-store", "x-content-type-options": "nosniff" });
  });

  it("with the methods there are when it has the wrong one", async () => {
    expect((await ask({ method: "PUT" })).headers["allow"]).toBe("GET");
  });
});

test("a fault of certfarm itself goes to the log, not to the caller", async () => {
  const answer = await ask({ method: "DELETE", path: "/v1/nodes/web1/drain" });
  expect([answer.status, answer.body.code]).toEqual([500, "INTERNAL"]);
  expect(JSON.stringify(answer.body)).not.toContain("secret of the machine");
  expect(logged.join("\n")).toContain("secret of the machine");
});

test("the OpenAPI document has every call of the server, and refers to nothing that is absent", async () => {
  const { body } = await ask({ path: "/openapi.json" });
  const text = JSON.stringify(body);
  const { paths, info } = body as unknown as { paths: Record<string, Record<string, unknown>>; info: { version: string } };
  expect(info.version).toBe("9.9.9");
  expect(Object.keys(paths["/v1/nodes/{node}/drain"] ?? {}).toSorted()).toEqual(["delete", "put"]);
  expect(paths["/v1/certificates/check"]).toBeUndefined();
  expect(new Set(text.match(/"\$ref":"[^"]+"/g))).toEqual(new Set(['"$ref":"#/components/schemas/Error"']));
  expect(text).not.toContain(TOKEN);
});

test("a port in use is told by an error that names it", async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  const { port } = other.address() as { port: number };
  const started = startAdminServer({
    dispatch,
    logIn: localLogIn(new Secret(TOKEN)),
    listen: { ...LISTEN, port },
    version: "1",
    clock: systemClock,
    log,
  });
  await expect(started).rejects.toMatchObject({
    code: "ADMIN_LISTEN_FAILED",
    message: expect.stringContaining(`127.0.0.1:${port}`) as string,
  });
  other.close();
});

describe("the client", () => {
  it.each([["when nothing listens", "http://127.0.0.1:1", "ADMIN_NOT_RUNNING"]])("says %s", async (_name, url, code) => {
    await expect(createClient(httpTransport({ url, token: new Secret(TOKEN) })).call("status", {})).rejects.toMatchObject({ code });
  });

  it("says that something else answers", async () => {
    const other = createServer((socket) => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"));
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { port } = other.address() as { port: number };
    const client = createClient(httpTransport({ url: `http://127.0.0.1:${port}`, token: new Secret(TOKEN) }));
    await expect(client.call("status", {})).rejects.toMatchObject({ code: "ADMIN_ANSWER_UNUSABLE" });
    other.close();
  });

  it("says that the answer is another version's", async () => {
    const strange = createClient(() => Promise.resolve({ nodes: "none" }));
    const error = await strange.call("status", {}).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(FarmError);
    expect(String(error)).toMatch(/the answer to status is not as expected/);
  });

  it("says that the token is wrong", async () => {
    const client = createClient(httpTransport({ url: server.url, token: new Secret("z".repeat(43)) }));
    await expect(client.call("status", {})).rejects.toMatchObject({ code: "ADMIN_UNAUTHORIZED" });
  });
});

describe("the token file", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "admin-token-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("is made once, for its owner alone, and read again", async () => {
    const path = join(folder, "deep", "admin-token");
    const first = await openToken(path);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(path, "utf8").trim()).toBe(first.reveal());
    expect(first.reveal()).toMatch(/^[\w-]{43}$/);
    expect((await openToken(path)).reveal()).toBe(first.reveal());
  });

  it("is refused when it holds no token, and not overwritten", async () => {
    const path = join(folder, "damaged");
    writeFileSync(path, "short\n");
    await expect(openToken(path)).rejects.toMatchObject({ code: "ADMIN_FILES_UNUSABLE" });
    expect(readFileSync(path, "utf8")).toBe("short\n");
  });
});
