import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { createServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { FarmError, instant, parseIpAddress, Secret, silentLog, type Clock, type ErrorCode } from "../base/index.ts";
import {
  askRenewal,
  createIdentityDesk,
  initAuthority,
  joinFarm,
  openAuthority,
  openIdentity,
  openIdentityKeeper,
  readJoinFile,
  serverTls,
  type IdentityDesk,
  type IdentityKeeper,
  type JoinRequest,
} from "../identity/index.ts";
import { createMemoryStore, type FarmStore } from "../store/index.ts";
import { createDispatch } from "./dispatch.ts";
import { createIdentityHandlers } from "./identity-handlers.ts";
import { createLogIn } from "./log-in.ts";
import { startAdminServer, type AdminServer } from "./server.ts";
import { createTokens } from "./tokens.ts";

const DAY = 24 * 3_600_000;
const LISTEN = { address: parseIpAddress("127.0.0.1") ?? ("" as never), port: 0 };

/** A farm's admin API over real TLS, its folders, and a clock that goes on by hand. */
interface Admin {
  readonly store: FarmStore;
  readonly keeper: IdentityKeeper;
  readonly desk: IdentityDesk;
  readonly server: AdminServer;
}

let root: string;
let passedMs: number;
let admin: Admin;
/** Set by a test: what the admin API does before it answers a join. */
let beforeAnswer: () => void;
const startedMs = Date.now();
const clock: Clock = { now: () => instant(startedMs + passedMs), monotonicMs: () => passedMs };
const closing: (() => Promise<void>)[] = [];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "certfarm-join-"));
  passedMs = 0;
  beforeAnswer = () => {};
  admin = await startAdmin("admin");
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  await rm(root, { recursive: true, force: true });
});

async function startAdmin(folder: string): Promise<Admin> {
  const store = createMemoryStore();
  const { state } = store;
  const dir = join(root, folder);
  await initAuthority({ dir, state, clock, name: "ops" });
  const keeper = await openIdentityKeeper({ dataDir: dir, state, clock, log: silentLog });
  const authority = await openAuthority(dir, clock.now());
  if (keeper === undefined || authority === undefined) throw new Error("init made no identity");
  const desk = createIdentityDesk({ state, clock, signing: keeper, authority });
  const answering: IdentityDesk = {
    ...desk,
    async join(...given) {
      const answer = await desk.join(...given);
      beforeAnswer();
      return answer;
    },
  };
  const handout = () =>
    Promise.resolve({ store: { place: "/mnt/farm", password: "etcd's password" }, farmKey: Buffer.from("a key").toString("base64") });
  const server = await startAdminServer({
    dispatch: createDispatch(createIdentityHandlers({ desk: answering, handout })),
    logIn: createLogIn({
      clock,
      log: silentLog,
      local: new Secret("k".repeat(43)),
      account: "root",
      tokens: createTokens({ state, clock }),
    }),
    listen: LISTEN,
    tls: keeper,
    version: "9.9.9",
    clock,
    log: silentLog,
  });
  closing.push(
    () => store.close(),
    () => keeper.close(),
    () => server.close(),
  );
  return { store, keeper, desk, server };
}

const tokenFor = async (name: string, role: "node" | "balancer" | "admin" = "node"): Promise<Secret> =>
  (await admin.desk.makeToken({ role, name, ttlMs: 3_600_000, by: "ops" })).token;

const joining = (token: Secret, folder: string, changes: Partial<JoinRequest> = {}) =>
  joinFarm({
    url: admin.server.url,
    token,
    role: "node",
    data: () => join(root, folder),
    clock,
    signal: AbortSignal.timeout(30_000),
    ...changes,
  });

async function keeperOf(folder: string): Promise<IdentityKeeper> {
  const ask = askRenewal({ urls: [admin.server.url], clock });
  const keeper = await openIdentityKeeper({ dataDir: join(root, folder), state: admin.store.state, clock, log: silentLog, ask });
  if (keeper === undefined) throw new Error(`${folder} holds no identity`);
  closing.push(() => keeper.close());
  return keeper;
}

const goodNames = async (): Promise<readonly string[]> =>
  (await admin.desk.list()).filter(({ state }) => state === "good").map(({ name }) => name);

describe("joining", () => {
  test("gives a machine its identity, the store and what it is entered with; everything in files of its own", async () => {
    expect(await joining(await tokenFor("web1"), "web1")).toMatchObject({ kind: "joined", name: "web1", store: "/mnt/farm" });
    expect(await openIdentity(join(root, "web1"))).toMatchObject({ role: "node", name: "web1" });
    const file = await readJoinFile(join(root, "web1"));
    expect(file).toMatchObject({ role: "node", name: "web1", admin: [admin.server.url], store: { place: "/mnt/farm" } });
    expect(await readFile(file?.store.passwordFile ?? "", "utf8")).toBe("etcd's password");
    expect(await readFile(file?.farmKeyFile ?? "", "utf8")).toBe("a key");
    expect((await stat(file?.farmKeyFile ?? "")).mode & 0o777).toBe(0o600);
    expect(await readFile(join(root, "web1", "join.json"), "utf8")).not.toMatch(/password"?:|a key|PRIVATE/);
    expect((await readdir(join(root, "web1"))).sort()).toEqual(["identity", "join.json", "store-access"]);
  });

  test("done twice changes nothing; for another place, the store can be named", async () => {
    const token = await tokenFor("web1");
    await joining(token, "web1", { place: "/srv/farm" });
    expect(await joining(token, "web1")).toMatchObject({ kind: "already", store: "/srv/farm" });
    await expect(joining(await tokenFor("web2"), "web1")).rejects.toMatchObject({ code: "IDENTITY_EXISTS" });
  });

  test("of two machines with one token, one wins", async () => {
    const token = await tokenFor("web1");
    const outcomes = await Promise.allSettled(["one", "two", "three"].map((folder) => joining(token, folder)));
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const outcome of outcomes)
      if (outcome.status === "rejected") expect(outcome.reason).toMatchObject({ code: "IDENTITY_TOKEN_USED" });
    expect(await goodNames()).toEqual(["ops", "web1"]);
  });

  test("that was cut off after the token was used is ended by doing it again, on the same machine only", async () => {
    const token = await tokenFor("web1");
    beforeAnswer = () => {
      throw new FarmError("STORE_UNAVAILABLE", "the admin API ended here");
    };
    await expect(joining(token, "web1")).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    expect(await openIdentity(join(root, "web1"))).toBeUndefined();
    beforeAnswer = () => {};
    await expect(joining(token, "thief")).rejects.toMatchObject({ code: "IDENTITY_TOKEN_USED" });
    passedMs = 2 * 3_600_000; // the token has expired since, but it was used in time
    expect(await joining(token, "web1")).toMatchObject({ kind: "joined" });
    expect(await goodNames()).toEqual(["ops", "web1"]);
  });

  test.each<[string, ErrorCode, () => Promise<unknown>]>([
    [
      "an expired token",
      "IDENTITY_TOKEN_EXPIRED",
      async () => {
        const token = await tokenFor("web1");
        passedMs = 3_600_001;
        return joining(token, "web1");
      },
    ],
    ["a token for another role", "IDENTITY_TOKEN_NAME_WRONG", async () => joining(await tokenFor("edge", "balancer"), "web1")],
    ["half a token", "IDENTITY_TOKEN_MALFORMED", async () => joining(new Secret((await tokenFor("web1")).reveal().slice(0, -9)), "web1")],
    [
      "a token whose secret was changed",
      "IDENTITY_TOKEN_UNKNOWN",
      async () => joining(changed(await tokenFor("web1"), 1, "A".repeat(43)), "web1"),
    ],
    [
      "a token whose name was changed",
      "IDENTITY_TOKEN_NAME_WRONG",
      async () => joining(changed(await tokenFor("web1"), 3, "web2"), "web2"),
    ],
    ["a token that nobody made", "IDENTITY_TOKEN_UNKNOWN", async () => joining(changed(await tokenFor("web1"), 0, "0".repeat(16)), "web1")],
    ["an address without TLS", "USAGE", async () => joining(await tokenFor("web1"), "web1", { url: "http://127.0.0.1:1" })],
    [
      "an address where nobody listens",
      "ADMIN_NOT_RUNNING",
      async () => joining(await tokenFor("web1"), "web1", { url: "https://127.0.0.1:1" }),
    ],
  ])("with %s is refused as %s", async (_, code, attempt) => {
    await expect(attempt()).rejects.toMatchObject({ code });
    expect(await goodNames()).toEqual(["ops"]);
  });

  test("tells its token to no server but the one that the token names", async () => {
    const token = await tokenFor("web1");
    const other = await startAdmin("other");
    await expect(joining(token, "web1", { url: other.server.url })).rejects.toMatchObject({ code: "IDENTITY_SERVER_UNTRUSTED" });
    // A node of the farm itself, whose identity is good, but which is no admin.
    await joining(await tokenFor("web9"), "web9");
    const heard: string[] = [];
    const web9 = await openIdentity(join(root, "web9"));
    if (web9 === undefined) throw new Error("web9 did not join");
    const impostor = createServer(serverTls(web9), (request) => void heard.push(request.url ?? ""));
    await new Promise<void>((resolve) => void impostor.listen(0, "127.0.0.1", resolve));
    const address = impostor.address();
    const port = typeof address === "object" ? address?.port : 0;
    await expect(joining(token, "web1", { url: `https://127.0.0.1:${port}` })).rejects.toThrow(/node web9, not an admin/);
    expect(heard).toEqual([]);
    await new Promise((resolve) => impostor.close(resolve));
    expect(await joining(token, "web1")).toMatchObject({ kind: "joined" });
  });

  test("leaves the token's digest in the store, never the token", async () => {
    const token = await tokenFor("web1");
    await joining(token, "web1");
    const stored = (await admin.store.state.list("identity")).map(({ value }) => Buffer.from(value).toString("latin1")).join("\n");
    expect(fieldsOf(token)[1]).toHaveLength(43);
    expect(stored).not.toContain(fieldsOf(token)[1]);
    expect(stored).not.toContain("PRIVATE KEY");
  });
});

const PREFIX = "certfarm-join-";
const fieldsOf = (token: Secret): string[] =>
  JSON.parse(Buffer.from(token.reveal().slice(PREFIX.length), "base64url").toString()) as string[]; // as it was made

function changed(token: Secret, field: number, value: string): Secret {
  const fields = fieldsOf(token).with(field, value);
  return new Secret(`${PREFIX}${Buffer.from(JSON.stringify(fields)).toString("base64url")}`);
}

describe("renewal over mutual TLS", () => {
  test("gives the next identity to who shows the present one", async () => {
    await joining(await tokenFor("web1"), "web1");
    const web1 = await keeperOf("web1");
    const before = web1.state();
    passedMs = 21 * DAY;
    await admin.keeper.look();
    await web1.renewIfDue();
    expect(web1.state().renewalFailing).toBeUndefined();
    expect(web1.state().serial).not.toBe(before.serial);
  });

  test("is refused to who was revoked, and says so", async () => {
    await joining(await tokenFor("web1"), "web1");
    const web1 = await keeperOf("web1");
    const before = web1.state();
    await admin.desk.revoke("web1", { by: "ops", reason: "stolen" });
    await admin.keeper.look();
    passedMs = 21 * DAY;
    await web1.renewIfDue();
    expect(web1.state().serial).toBe(before.serial);
    expect(web1.state().renewalFailing?.problem).toContain("revoked");
  });

  test("is refused to an identity that has expired", async () => {
    await joining(await tokenFor("web1"), "web1");
    const web1 = await keeperOf("web1");
    passedMs = 31 * DAY;
    await web1.renewIfDue();
    expect(web1.state().renewalFailing?.problem).toMatch(/expired/);
  });
});
