import { createHash, randomBytes } from "node:crypto";

import { beforeEach, describe, expect, it, test } from "vitest";

import { createAuditTrail } from "../audit/index.ts";
import { FarmError, instant, parseIpAddress, Secret, silentLog, systemClock } from "../base/index.ts";
import { createMemoryStore, type MemoryCall } from "../store/index.ts";
import { auditedCall } from "./audit-call.ts";
import { requireRole, type Caller, type CallerRole } from "./caller.ts";
import { createClient, httpTransport } from "./client.ts";
import { createDispatch } from "./dispatch.ts";
import { createFailedLogins } from "./failed-logins.ts";
import type { Handlers } from "./handler-types.ts";
import { isKnownHost } from "./host-header.ts";
import { createLogIn, type Presented } from "./log-in.ts";
import type { Route } from "./route.ts";
import { ROUTES, type RouteName } from "./routes.ts";
import { startAdminServer } from "./server.ts";
import { localLogIn } from "./testing/local-log-in.ts";
import { createTokens, type Tokens } from "./tokens.ts";

const NAMES = Object.keys(ROUTES) as RouteName[];
const as = (role: CallerRole): Caller => ({ name: `the ${role}`, role, by: "token" });
const context = (caller: Caller) => ({ caller, signal: new AbortController().signal, onProgress: () => Promise.resolve() });

/** Whom each role of a route refuses, written down once more. */
const REFUSED: Readonly<Record<Route["role"], readonly CallerRole[]>> = {
  viewer: ["node", "balancer", "newcomer"],
  operator: ["viewer", "node", "balancer", "newcomer"],
  admin: ["viewer", "operator", "node", "balancer", "newcomer"],
  member: ["viewer", "operator", "newcomer"],
  newcomer: [],
};

describe("every route", () => {
  it.each(NAMES)("%s says whom it is for, and is refused to everybody else before anything is done", async (name) => {
    const route: Route = ROUTES[name];
    const refused = REFUSED[route.role];
    const done: string[] = [];
    const handler = (): Promise<never> => {
      done.push(name);
      return Promise.reject(new Error("it was done"));
    };
    const dispatch = createDispatch({ [name]: handler });
    for (const role of refused) {
      const code = role === "newcomer" ? "ADMIN_UNAUTHORIZED" : "ADMIN_FORBIDDEN";
      await expect(dispatch(name, {}, context(as(role))), role).rejects.toMatchObject({ code });
    }
    expect(done).toEqual([]);
    for (const role of ["viewer", "operator", "admin", "node", "balancer", "newcomer"] as const) {
      if (!refused.includes(role)) expect(() => requireRole(route, as(role))).not.toThrow();
    }
  });

  it("that changes something is for more than viewers, unless a join token is what lets in", () => {
    const unaudited = NAMES.filter((name) => !ROUTES[name].changes && ROUTES[name].role !== "viewer");
    expect(unaudited.filter((name) => ROUTES[name].method !== "GET")).toEqual([]);
    expect(NAMES.filter((name) => ROUTES[name].changes && ROUTES[name].role === "viewer")).toEqual([]);
  });

  it.each([
    ["drain", "operator"],
    ["repair.run", "operator"],
    ["config.apply", "operator"],
    ["certificates.add", "operator"],
    ["token.add", "admin"],
    ["identities.revoke", "admin"],
    ["secrets.rotate", "admin"],
    ["drill.start", "admin"],
    ["status", "viewer"],
  ] as const)("%s is for the role %s", (name, role) => {
    expect(ROUTES[name].role).toBe(role);
  });
});

describe("a call that changes something", () => {
  const trail = () => createAuditTrail({ state: createMemoryStore().state, clock: systemClock, log: silentLog, self: "here" });

  it("is in the audit log by the name of the caller's token, whatever name it gives", async () => {
    const audit = trail();
    const given: unknown[] = [];
    const drain: Handlers["drain"] = (input) => {
      given.push(input);
      return Promise.resolve({ node: input.node });
    };
    const dispatch = createDispatch({ drain }, audit);
    await dispatch("drain", { node: "web1", by: "somebody else" }, context(as("operator")));
    expect(given).toEqual([{ node: "web1", by: "the operator" }]);
    const { entries } = await audit.list({ limit: 5 });
    expect(entries).toMatchObject([
      {
        action: "drain",
        phase: "begun",
        target: "node=web1 by=the operator",
        caller: { name: "the operator", role: "operator", by: "token" },
      },
      { phase: "ended", outcome: "done" },
    ]);
  });

  it("and is refused by its schema or its role is not in the log, and one that reads neither", async () => {
    const audit = trail();
    const dispatch = createDispatch(
      { drain: () => Promise.reject(new Error("no")), "drill.list": () => Promise.resolve({ drills: [] }) },
      audit,
    );
    await expect(dispatch("drain", { node: 7 }, context(as("operator")))).rejects.toMatchObject({ code: "ADMIN_INPUT_INVALID" });
    await expect(dispatch("drain", { node: "web1" }, context(as("viewer")))).rejects.toMatchObject({ code: "ADMIN_FORBIDDEN" });
    await dispatch("drill.list", {}, context(as("viewer")));
    expect((await audit.list({ limit: 5 })).entries).toEqual([]);
  });

  it("by somebody without a log-in is in the log only when it was done", async () => {
    const audit = trail();
    const dispatch = createDispatch({ "identities.join": () => Promise.reject(new FarmError("IDENTITY_TOKEN_UNKNOWN", "no")) }, audit);
    const call = dispatch("identities.join", { token: "t", request: "r" }, context(as("newcomer")));
    await expect(call).rejects.toMatchObject({ code: "IDENTITY_TOKEN_UNKNOWN" });
    expect((await audit.list({ limit: 5 })).entries).toEqual([]);
  });

  it("is told without what is secret or long", () => {
    for (const name of NAMES) {
      const route: Route = ROUTES[name];
      const input = Object.fromEntries(Object.keys(route.input.shape).map((key) => [key, `<${key}>${"x".repeat(500)}`]));
      const { target } = auditedCall(name, route, input, as("admin"));
      for (const key of [...route.hidden, "yaml", "password", "bytes", "keyBytes", "token", "key"])
        expect(target, name).not.toContain(`<${key}>`);
    }
  });
});

describe("tokens", () => {
  let calls: MemoryCall[] = [];
  let nowMs = 1_000_000;
  const clock = { now: () => instant(nowMs), monotonicMs: () => nowMs };
  let store = createMemoryStore();
  let tokens: Tokens;
  beforeEach(() => {
    calls = [];
    nowMs = 1_000_000;
    store = createMemoryStore({ faults: (call) => void calls.push(call) });
    tokens = createTokens({ state: store.state, clock });
  });

  it("are in the store as digests only", async () => {
    const { token, facts } = await tokens.add({ name: "ci", role: "viewer", by: "me" });
    const [entry] = await store.state.list("admin/tokens");
    const text = Buffer.from(entry?.value ?? []).toString();
    const secret = token.reveal().split("-").slice(3).join("-");
    expect(secret).toMatch(/^[\w-]{43}$/);
    expect(text).not.toContain(secret);
    expect(text).toContain(createHash("sha256").update(`${facts.id}.${secret}`).digest("hex"));
    expect(await tokens.find(token.reveal())).toMatchObject({ kind: "known", token: { name: "ci", role: "viewer" } });
  });

  it("are not known by their id, by a part, or with another's secret", async () => {
    const one = await tokens.add({ name: "one", role: "admin", by: "me" });
    const other = await tokens.add({ name: "other", role: "viewer", by: "me" });
    const text = one.token.reveal();
    const secretOfOther = other.token.reveal().slice(`certfarm-token-${other.facts.id}-`.length);
    for (const wrong of [one.facts.id, text.slice(0, -1), `${text}x`, `certfarm-token-${one.facts.id}-${secretOfOther}`, "", "\u0000"]) {
      expect(await tokens.find(wrong)).toEqual({ kind: "unknown" });
    }
  });

  it("are over when their time is, and when they are revoked here or elsewhere", async () => {
    const { token } = await tokens.add({ name: "ci", role: "viewer", by: "me", ttlMs: 60_000 });
    nowMs += 59_999;
    expect((await tokens.find(token.reveal())).kind).toBe("known");
    nowMs += 1;
    expect((await tokens.find(token.reveal())).kind).toBe("expired");
    const again = await tokens.add({ name: "ci", role: "operator", by: "me" });
    expect((await tokens.find(again.token.reveal())).kind).toBe("known");
    await createTokens({ state: store.state, clock }).revoke("ci");
    nowMs += 2_001;
    expect((await tokens.find(again.token.reveal())).kind).toBe("unknown");
    await expect(tokens.revoke("nobody")).rejects.toMatchObject({ code: "TOKEN_UNKNOWN" });
  });

  it("have names of their own", async () => {
    await tokens.add({ name: "ci", role: "viewer", by: "me" });
    await expect(tokens.add({ name: "ci", role: "admin", by: "me" })).rejects.toMatchObject({ code: "TOKEN_NAME_TAKEN" });
  });

  it("that are wrong cost the store next to nothing", async () => {
    await tokens.add({ name: "ci", role: "viewer", by: "me" });
    calls = [];
    for (let at = 0; at < 1_000; at += 1) {
      nowMs += 1;
      await tokens.find(`certfarm-token-${randomBytes(8).toString("hex")}-${randomBytes(32).toString("base64url")}`);
    }
    expect(calls.length).toBeLessThanOrEqual(5);
  });
});

describe("a log-in", () => {
  const local = new Secret("l".repeat(43));
  const presented = (changes: Partial<Presented>): Presented => ({
    authorization: undefined,
    peer: undefined,
    address: "10.0.0.7",
    isLocal: false,
    ...changes,
  });
  const open = async () => {
    const tokens = createTokens({ state: createMemoryStore().state, clock: systemClock });
    const { token } = await tokens.add({ name: "ci", role: "viewer", by: "me" });
    return { logIn: createLogIn({ clock: systemClock, log: silentLog, local, account: "me@here", tokens }), token };
  };

  it("by the token file is for this machine only", async () => {
    const { logIn } = await open();
    const authorization = `Bearer ${local.reveal()}`;
    expect(await logIn(presented({ authorization, isLocal: true }))).toEqual({ name: "me@here", role: "admin", by: "local" });
    await expect(logIn(presented({ authorization }))).rejects.toMatchObject({ code: "ADMIN_UNAUTHORIZED" });
  });

  it("by certificate is whom the certificate names; a token may say more for a node, never less for an admin", async () => {
    const { logIn, token } = await open();
    const peer = (role: "node" | "admin") => ({ role, name: "x1", serial: "01", notAfter: instant(9e15) });
    const authorization = `Bearer ${token.reveal()}`;
    expect(await logIn(presented({ peer: peer("node") }))).toEqual({ name: "x1", role: "node", by: "certificate" });
    expect(await logIn(presented({ peer: peer("node"), authorization }))).toMatchObject({ role: "viewer", by: "token" });
    expect(await logIn(presented({ peer: peer("admin"), authorization }))).toMatchObject({ role: "admin", by: "certificate" });
    const revoked = logIn(presented({ peer: { reason: "revoked", problem: "it was revoked" }, authorization }));
    await expect(revoked).rejects.toMatchObject({ code: "ADMIN_CERTIFICATE_REFUSED", facts: { reason: "revoked" } });
  });

  it.each(["Basic abc", "Bearer", "Bearer a b", `Bearer ${"x".repeat(2_000)}`, "", "\u0000"])(
    "with the header %j is refused",
    async (authorization) => {
      const { logIn } = await open();
      await expect(logIn(presented({ authorization, isLocal: true }))).rejects.toMatchObject({ code: "ADMIN_UNAUTHORIZED" });
    },
  );

  it("is not looked at any more from an address that failed ten times, and from others it is", async () => {
    const { logIn, token } = await open();
    const wrong = presented({ authorization: `Bearer ${"w".repeat(43)}` });
    for (let at = 0; at < 10; at += 1) await expect(logIn(wrong)).rejects.toMatchObject({ code: "ADMIN_UNAUTHORIZED" });
    const right = { authorization: `Bearer ${token.reveal()}` };
    await expect(logIn(presented(right))).rejects.toMatchObject({ code: "ADMIN_TOO_MANY_FAILURES" });
    expect(await logIn(presented({ ...right, address: "10.0.0.8" }))).toMatchObject({ name: "ci" });
  });
});

test("failed log-ins are forgotten after a minute, and counted by network for IPv6", () => {
  let nowMs = 0;
  const failed = createFailedLogins({ monotonicMs: () => nowMs });
  for (let at = 0; at < 10; at += 1) failed.note(`2001:db8:0:1::${at + 1}`);
  expect(() => failed.check("2001:db8:0:1:ffff::9")).toThrow(FarmError);
  expect(() => failed.check("2001:db8:0:2::1")).not.toThrow();
  nowMs = 60_000;
  expect(() => failed.check("2001:db8:0:1::1")).not.toThrow();
});

test.each<[string, string | undefined, boolean, boolean]>([
  ["a loopback name", "localhost:8499", false, true],
  ["an IP address without TLS", "10.0.0.9:8499", false, false],
  ["an IP address with TLS", "10.0.0.9:8499", true, true],
  ["an IPv6 address with TLS", "[2001:db8::9]:8499", true, true],
  ["its own name", "Admin.Farm.Example:8499", true, true],
  ["another name", "evil.example", true, false],
  ["a name that looks like an address", "10.0.0.9.evil.example", true, false],
  ["no name", undefined, true, false],
  ["an empty name", "", true, false],
])("a Host header with %s", (_name, host, addresses, isKnown) => {
  expect(isKnownHost(host, { names: ["admin.farm.example"], addresses })).toBe(isKnown);
});

test("without an identity it does not listen where other machines reach it", async () => {
  const settings = {
    dispatch: createDispatch({}),
    logIn: localLogIn(new Secret("t".repeat(43))),
    version: "1",
    clock: systemClock,
    log: silentLog,
  };
  const address = parseIpAddress("0.0.0.0");
  if (address === undefined) throw new Error("0.0.0.0 is an address");
  const started = startAdminServer({ ...settings, listen: { address, port: 0 } });
  await expect(started).rejects.toMatchObject({
    code: "ADMIN_IDENTITY_NEEDED",
    remedy: expect.stringContaining("certfarm init") as string,
  });
});

test("a client that calls by https:// where no TLS is spoken is told so", async () => {
  const address = parseIpAddress("127.0.0.1");
  if (address === undefined) throw new Error("127.0.0.1 is an address");
  const logIn = localLogIn(new Secret("t".repeat(43)));
  const server = await startAdminServer({
    dispatch: createDispatch({}),
    logIn,
    listen: { address, port: 0 },
    version: "1",
    clock: systemClock,
    log: silentLog,
  });
  const client = createClient(httpTransport({ url: server.url.replace("http:", "https:") }));
  await expect(client.call("status", {})).rejects.toMatchObject({
    code: "ADMIN_SERVER_UNTRUSTED",
    message: expect.stringContaining("no TLS") as string,
  });
  await server.close();
});
