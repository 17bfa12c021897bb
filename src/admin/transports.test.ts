import { afterEach, describe, expect, it } from "vitest";

import { FarmError, parseIpAddress, Secret, silentLog, systemClock } from "../base/index.ts";
import { createClient, httpTransport, ROUTES, type AdminClient } from "./client.ts";
import { directTransport } from "./direct-transport.ts";
import { createDispatch } from "./dispatch.ts";
import { createHandlers, createLocalHandlers } from "./handlers.ts";
import { startAdminServer } from "./server.ts";
import { noFarm, STATUS, type Asked } from "./testing/fake-operations.ts";
import { localLogIn } from "./testing/local-log-in.ts";

const token = new Secret("t".repeat(43));
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const LISTEN = { address: parseIpAddress("127.0.0.1") ?? ("" as never), port: 0 };

const local = createLocalHandlers({ clock: systemClock, log: silentLog });

/** Both ways to the same handlers. */
const WAYS: readonly (readonly [string, (asked: Asked, changes?: Parameters<typeof noFarm>[1]) => Promise<AdminClient>])[] = [
  [
    "over HTTP",
    async (asked, changes) => {
      const dispatch = createDispatch(createHandlers(noFarm(asked, changes), local));
      const server = await startAdminServer({
        dispatch,
        logIn: localLogIn(token),
        listen: LISTEN,
        version: "1",
        clock: systemClock,
        log: silentLog,
      });
      closing.push(() => server.close());
      return createClient(httpTransport({ url: server.url, token }));
    },
  ],
  [
    "in this process",
    (asked, changes) => Promise.resolve(createClient(directTransport(createDispatch(createHandlers(noFarm(asked, changes), local))))),
  ],
];

describe.each(WAYS)("a call %s", (_name, open) => {
  it("gives the answer", async () => {
    expect(await (await open([])).call("status", {})).toEqual(STATUS);
  });

  it("carries names with odd characters, numbers and texts as they are", async () => {
    const asked: Asked = [];
    const client = await open(asked);
    await client.call("bindings.delete", { node: "web/1 ü?", row: "host:a&b=ü:443" });
    await client.call("drain", { node: "../status", by: "me@here" });
    await client.call("config.history", { limit: 7 });
    await client.call("explain", { port: 8443, serverName: "www.example.com" });
    expect(asked).toEqual([
      ["deleteBinding", "web/1 ü?", "host:a&b=ü:443"],
      ["drain", "../status", "me@here"],
      ["history", 7],
      ["explain", undefined, { port: 8443, serverName: "www.example.com" }],
    ]);
  });

  it("throws the error that the farm threw, with its facts", async () => {
    const error = await (await open([])).call("config.apply", { yaml: "farm: x" }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(FarmError);
    expect(error).toMatchObject({ code: "CONFIG_WOULD_BREAK", message: "it would", facts: { hosts: ["www.example.com"], total: 1 } });
  });

  it("refuses input that is not as the table says, and names what is wrong", async () => {
    const client = await open([]);
    const error = await client.call("explain", { port: 99_999 }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "ADMIN_INPUT_INVALID" });
    expect(String(error)).toContain("port");
    const unknown = await client.call("drain", { node: "web1", force: true } as never).catch((thrown: unknown) => thrown);
    expect(unknown).toMatchObject({ code: "ADMIN_INPUT_INVALID" });
    expect(String(unknown)).toContain("force");
  });

  it("tells progress before the result", async () => {
    const seen: number[] = [];
    const settings = { onProgress: ({ done }: { done: number }) => void seen.push(done) };
    const result = await (await open([])).call("config.awaitProved", { timeoutMs: 1_000 }, settings);
    expect(seen).toEqual([1]);
    expect(result).toEqual({ revision: 3, done: 2, total: 2, laggards: [] });
  });

  it("throws an error that comes after progress", async () => {
    const client = await open([], {
      // eslint-disable-next-line typescript/require-await -- the shape of the use case
      async *listCertificates({ onProgress }) {
        onProgress?.({ done: 1, total: 2 });
        yield { file: "a.pfx", reading: { status: "ok" }, promises: [], warnings: [] };
        throw new FarmError("STORE_UNAVAILABLE", "the share is gone");
      },
    });
    const files: (string | undefined)[] = [];
    const settings = { onProgress: ({ file }: { file?: { file: string } }) => void files.push(file?.file) };
    await expect(client.call("certificates.list", {}, settings)).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    expect(files).toEqual(["a.pfx"]);
  });

  it("ends when its signal aborts", async () => {
    let signalled: AbortSignal | undefined;
    const stop = new AbortController();
    const base = noFarm([]);
    const client = await open([], {
      config: {
        ...base.config,
        awaitProved: async ({ signal, onProgress }) => {
          signalled = signal;
          onProgress?.({ revision: 1, done: 0, total: 1, laggards: [] });
          if (signal?.aborted !== true) await new Promise((resolve) => signal?.addEventListener("abort", resolve, { once: true }));
          throw new FarmError("CANCELLED", "stopped");
        },
      },
    });
    const call = client.call("config.awaitProved", { timeoutMs: 60_000 }, { signal: stop.signal, onProgress: () => stop.abort() });
    await expect(call).rejects.toMatchObject({ code: "CANCELLED" });
    await expect.poll(() => signalled?.aborted).toBe(true);
  });

  it("does what needs no farm", async () => {
    const found = await (await open([])).call("config.validate", { yaml: "noodles: 1", name: "f.yaml" });
    expect(found.kind === "invalid" && found.text).toContain("f.yaml:1:1 error");
  });
});

describe("the table of routes", () => {
  it("has one row for each method and path", () => {
    const calls = Object.values(ROUTES).map(({ method, path }) => `${method} ${path}`);
    expect(new Set(calls).size).toBe(calls.length);
  });

  it("takes every part of a path from its input", () => {
    for (const [name, { path, input }] of Object.entries(ROUTES)) {
      for (const [, key] of path.matchAll(/\{(\w+)\}/g)) expect(Object.keys(input.shape), name).toContain(key);
    }
  });
});

describe("a call with secrets", () => {
  it.each(["http://192.0.2.1:8499", "http://farm.example.com:8499", "http://127.0.0.1.example.com:8499"])(
    "is not sent to %s",
    async (url) => {
      const client = createClient(httpTransport({ url, token }));
      const sent = client.call("secrets.addPassword", { password: "horse battery" }, { signal: AbortSignal.timeout(5_000) });
      await expect(sent).rejects.toMatchObject({ code: "SECRETS_WOULD_TRAVEL" });
    },
  );

  it("goes to this machine", async () => {
    const client = createClient(httpTransport({ url: "http://127.0.0.1:1", token }));
    await expect(client.call("secrets.addPassword", { password: "horse battery" })).rejects.toMatchObject({ code: "ADMIN_NOT_RUNNING" });
  });

  it("names every input that is secret", () => {
    const named = Object.values(ROUTES).flatMap(({ hidden }) => [...hidden]);
    expect(named).toEqual(expect.arrayContaining(["bytes", "keyBytes", "password", "key"]));
  });
});
