import type { IncomingMessage, RequestListener } from "node:http";
import { createServer, type TLSSocket } from "node:tls";

import { afterAll, beforeAll, describe, expect, it, test } from "vitest";

import { instant, requireHostName, systemClock, type Clock, type Endpoint } from "../base/index.ts";
import type { RequestObservation } from "../doctor/index.ts";
import { requestOnce, type RequestOptions } from "./index.ts";
import { TestServers, type TestPair } from "./testing/test-servers.ts";

const host = requireHostName("www.example.test");
let servers: TestServers;
let pair: TestPair;

beforeAll(async () => {
  servers = await TestServers.start();
  pair = await servers.issue(["www.example.test"]);
});
afterAll(() => servers.close());

const ask = (target: Endpoint, options: Partial<RequestOptions> = {}) =>
  requestOnce({ target, host, timeoutMs: 5_000, verify: true, ca: [servers.root], clock: systemClock, ...options });

const request = async (target: Endpoint, options: Partial<RequestOptions> = {}): Promise<RequestObservation> =>
  (await ask(target, options)).request;

const serve = (answer: RequestListener): Promise<Endpoint> => servers.https(pair, answer);

describe("a request", () => {
  it("tells status and headers, with lower-case names, and the handshake that it went over", async () => {
    const target = await serve((_request, response) => {
      response.writeHead(302, { Location: "/start", "X-Twice": ["one", "two"] });
      response.end("elsewhere");
    });
    const { observation, request: seen } = await ask(target);
    expect(seen).toMatchObject({ status: 302, headers: { location: "/start", "x-twice": "one, two" } });
    expect(observation.outcome).toMatchObject({ kind: "served", alpn: "http/1.1", verified: true });
  });

  const asked: [string, Partial<RequestOptions>, (target: Endpoint) => Partial<Record<"host" | "method" | "url", string>>][] = [
    ["GET of the root, with the port after the host", {}, ({ port }) => ({ host: `www.example.test:${port}`, method: "GET", url: "/" })],
    ["HEAD of a path", { method: "HEAD", path: "/health?x=1" }, () => ({ method: "HEAD", url: "/health?x=1" })],
    ["a Host header as given", { hostHeader: "www.example.test" }, () => ({ host: "www.example.test" })],
  ];
  test.each(asked)("asks for %s", async (_name, options, expected) => {
    let got: IncomingMessage | undefined;
    const target = await serve((incoming, response) => {
      got = incoming;
      response.end();
    });
    expect(await request(target, options)).toMatchObject({ status: 200 });
    expect({ host: got?.headers.host, method: got?.method, url: got?.url }).toMatchObject(expected(target));
  });

  it("reads no body, however long", async () => {
    let sent = 0;
    const target = await serve((_request, response) => {
      const chunk = Buffer.alloc(65_536);
      const more = (): void => {
        while (!response.destroyed && response.write(chunk)) sent += chunk.length;
      };
      response.on("drain", more);
      more();
    });
    expect(await request(target)).toMatchObject({ status: 200 });
    expect(sent).toBeLessThan(64 * 1024 * 1024);
  });

  it("keeps at most 50 headers of 500 characters", async () => {
    const target = await serve((_request, response) => {
      for (let at = 0; at < 80; at += 1) response.setHeader(`x-${at}`, "y".repeat(600));
      response.end();
    });
    const { headers } = await request(target);
    expect(Object.keys(headers)).toHaveLength(50);
    expect(headers["x-49"]).toBe("y".repeat(500));
  });

  it("takes a header named like a part of objects as any other", async () => {
    const target = await rawTls((socket) => socket.end("HTTP/1.1 200 OK\r\n__proto__: 1\r\nconstructor: 2\r\nAge: x\r\n\r\n"));
    const { headers } = await request(target);
    expect(Object.entries(headers)).toEqual([
      ["__proto__", "1"],
      ["constructor", "2"],
      ["age", "x"],
    ]);
  });
});

/** Does with the first octets of a request what it is told. */
const rawTls = (behave: (socket: TLSSocket) => void): Promise<Endpoint> =>
  servers.listen(
    createServer({ ...pair, ALPNProtocols: ["http/1.1"] }, (socket) => {
      socket.on("error", () => undefined).once("data", () => behave(socket));
    }),
  );

describe("no answer", () => {
  const failures: [string, (socket: TLSSocket) => void, string | RegExp][] = [
    ["a close is told", (socket) => void socket.end(), "closed before the answer"],
    ["a reset is told", (socket) => void socket.destroy(), /before the answer$/],
    ["what is not HTTP is told", (socket) => void socket.end("hello there\r\n\r\n"), /^the answer is not HTTP\/1\.1 \(HPE_/],
    [
      "a head without end is told",
      (socket) => void socket.end(`HTTP/1.1 200 OK\r\nx: ${"y".repeat(100_000)}`),
      /longer than 65536 octets$/,
    ],
  ];
  test.each(failures)("%s", async (_name, behave, problem) => {
    const seen = await request(await rawTls(behave));
    expect(seen).not.toHaveProperty("status");
    expect(seen.problem).toMatch(problem);
  });

  it("silence is told when its time is over", async () => {
    const seen = await request(await rawTls(() => undefined), { timeoutMs: 300 });
    expect(seen.problem).toBe("no answer to a request within 300 ms");
  });

  it("a client certificate that is wanted is told by its alert", async () => {
    const target = await servers.https({ ...pair, requestCert: true, rejectUnauthorized: true, ca: servers.root }, (_request, response) =>
      response.end(),
    );
    const { observation, request: seen } = await ask(target);
    expect(observation.outcome.kind).toBe("served");
    expect(seen.problem).toBe("alert certificate_required");
  });

  it("is no request when there is no handshake", async () => {
    expect(await ask(await servers.nobody())).toMatchObject({
      observation: { outcome: { kind: "refused" } },
      request: { problem: "no handshake: refused", headers: {} },
    });
  });

  it("is cancelled by the caller's signal", async () => {
    const stop = new AbortController();
    const target = await rawTls(() => stop.abort());
    await expect(ask(target, { signal: stop.signal })).rejects.toMatchObject({ code: "CANCELLED" });
  });

  it("says so when HTTP does not allow the path", async () => {
    await expect(ask(await serve((_request, response) => response.end()), { path: "/a b\r\n" })).rejects.toMatchObject({
      code: "INTERNAL",
    });
  });
});

describe("the peer's clock", () => {
  const NOW = Date.UTC(2026, 5, 15, 12, 0, 0);
  /** A clock that stands still, so that half time is known. */
  const frozen = (at: number): Clock => ({ now: () => instant(at), monotonicMs: () => 0 });

  const offsets: [string, string, number, number | undefined][] = [
    ["in time, from the middle of its second", "Mon, 15 Jun 2026 12:00:00 GMT", NOW + 500, 0],
    ["in time, at the end of its second", "Mon, 15 Jun 2026 12:00:00 GMT", NOW + 999, -499],
    ["seven minutes ahead", "Mon, 15 Jun 2026 12:07:00 GMT", NOW, 420_500],
    ["a day behind", "Sun, 14 Jun 2026 12:00:00 GMT", NOW, -86_399_500],
    ["unknown without a date", "", NOW, undefined],
    ["unknown with something else than a date", "yesterday", NOW, undefined],
  ];
  test.each(offsets)("is %s", async (_name, date, now, expected) => {
    const target = await serve((_request, response) => {
      response.sendDate = false;
      if (date !== "") response.setHeader("date", date);
      response.end();
    });
    const seen = await request(target, { clock: frozen(now) });
    expect(seen.status).toBe(200);
    expect(seen.clockOffsetMs).toBe(expected);
  });

  it("is unknown from an answer out of a cache", async () => {
    const target = await serve((_request, response) => {
      response.setHeader("age", "3600");
      response.end();
    });
    expect(await request(target)).not.toHaveProperty("clockOffsetMs");
  });

  it("of this machine is its own within a second", async () => {
    const { clockOffsetMs = Number.NaN, tookMs } = await request(await serve((_request, response) => response.end()));
    expect(Math.abs(clockOffsetMs)).toBeLessThanOrEqual(510 + tookMs / 2 + 1_000);
  });
});
