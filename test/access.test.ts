import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { createClient, httpTransport, type AdminClient } from "../src/admin/client.ts";
import { Secret } from "../src/base/index.ts";
import { freePorts } from "./farm/free-ports.ts";
import { farmProcess, MAIN, type FarmProcess } from "./farm/processes.ts";
import { run, type RunResult } from "./farm/run.ts";
import { until } from "./farm/until.ts";

/** Two admin APIs of one farm with identities, called as from other machines, by the command, by curl and by openssl. */
let root: string;
let ports: readonly number[];
const started: FarmProcess[] = [];

const at = (...names: readonly string[]): string => join(root, ...names);
const url = (which: number): string => `https://127.0.0.1:${ports[which]}`;

function certfarm(...args: readonly string[]): Promise<RunResult> {
  return run(process.execPath, [MAIN, ...args], { cwd: root, env: { PATH: process.env["PATH"], HOME: root }, timeoutMs: 60_000 });
}

const curl = (...args: readonly string[]): Promise<RunResult> =>
  run("curl", ["-s", "--cacert", at("one", "identity", "authority.pem"), ...args]);

/** With curl, which knows nothing of roles in certificates: the name in it is not the address. */
const anyName = ["--insecure"];

async function startAdmin(folder: string, [inside, outside]: readonly number[]): Promise<void> {
  const args = [
    "admin",
    "--store",
    at("store"),
    "--local",
    at(folder),
    "--admin-port",
    String(inside),
    "--admin-listen",
    `127.0.0.1:${outside}`,
  ];
  const admin = farmProcess(folder, args, { binary: process.execPath, wrapper: [] });
  admin.start();
  started.push(admin);
  await until(async () => (await curl(...anyName, `https://127.0.0.1:${outside}/openapi.json`)).code === 0, {
    what: `the admin API ${folder} answers: ${admin.log()}`,
    deadlineMs: 60_000,
  });
}

async function clientOf(which: number): Promise<AdminClient> {
  const [certificatePem = "", key = "", authorityPem = ""] = await Promise.all(
    ["certificate.pem", "key.pem", "authority.pem"].map((name) => readFile(at("one", "identity", name), "utf8")),
  );
  return createClient(httpTransport({ url: url(which), identity: { certificatePem, keyPem: new Secret(key), authorityPem } }));
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "certfarm-access-"));
  ports = await freePorts(4);
  await mkdir(at("store"));
  expect(await certfarm("init", "one", "--store", "store")).toMatchObject({ code: 0 });
  await cp(at("one"), at("two"), { recursive: true });
  await Promise.all([startAdmin("one", [ports[2] ?? 0, ports[0] ?? 0]), startAdmin("two", [ports[3] ?? 0, ports[1] ?? 0])]);
});

afterAll(async () => {
  await Promise.all(started.map((one) => one.end()));
  await rm(root, { recursive: true, force: true });
});

describe("off the loopback", () => {
  it("an admin API without an identity is not started, and says what makes one", async () => {
    const refused = await certfarm("admin", "--store", "store", "--local", "bare", "--admin-listen", "0.0.0.0:9");
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining("certfarm init")]);
  });

  it("a request without TLS is told to come by https", async () => {
    const { stdout } = await curl("-w", "%{http_code}", url(0).replace("https:", "http:"));
    expect(stdout).toMatch(/ADMIN_HTTPS_ONLY.*400$/);
  });

  it("what is no HTTP at all is answered and ended, and the API goes on", async () => {
    const { stdout } = await run("openssl", ["s_client", "-quiet", "-connect", `127.0.0.1:${ports[0]}`], { input: "garbage\r\n\r\n" });
    expect(stdout).toContain("ADMIN_REQUEST_MALFORMED");
    const large = await curl(...anyName, "-H", `X-Large: ${"a".repeat(20_000)}`, "-w", "%{http_code}", `${url(0)}/v1/status`);
    expect(large.stdout).toMatch(/ADMIN_REQUEST_MALFORMED.*431$/);
    expect((await (await clientOf(0)).call("token.list", {})).tokens).toBeDefined();
  });

  it.each<[string, readonly string[], RegExp]>([
    ["without token and certificate", [], /ADMIN_UNAUTHORIZED.*401$/],
    ["with a token that is none", ["-H", `Authorization: Bearer ${"x".repeat(43)}`], /ADMIN_UNAUTHORIZED.*401$/],
    ["by a name that was pointed here", ["-H", "Host: evil.example"], /ADMIN_HOST_REFUSED.*403$/],
  ])("a request %s is refused", async (_name, args, answer) => {
    expect((await curl(...anyName, ...args, "-w", "%{http_code}", `${url(0)}/v1/tokens`)).stdout).toMatch(answer);
  });

  it("the loopback's token file is taken on the loopback only", async () => {
    const bearer = ["-H", `Authorization: Bearer ${(await readFile(at("one", "admin-token"), "utf8")).trim()}`, "-w", "%{http_code}"];
    expect((await curl(...bearer, `http://127.0.0.1:${ports[2]}/v1/tokens`)).stdout).toMatch(/200$/);
    expect((await curl(...anyName, ...bearer, `${url(0)}/v1/tokens`)).stdout).toMatch(/ADMIN_UNAUTHORIZED.*401$/);
  });
});

describe("the command on another machine", () => {
  it("logs in by an admin's identity, or by a token and the farm's authority", async () => {
    const made = await certfarm("token", "add", "ci", "--role", "viewer", "--ttl", "1h", "--admin", url(0), "--identity", "one");
    expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(/^certfarm-token-[0-9a-f]{16}-[\w-]{43}\n$/) as string });
    await writeFile(at("ci-token"), made.stdout, { mode: 0o600 });
    const viewer = ["--admin", url(1), "--token-file", "ci-token", "--authority", at("one", "identity", "authority.pem")];
    expect(await certfarm("audit", ...viewer)).toMatchObject({ code: 0, stdout: expect.stringContaining("token.add") as string });
    expect(await certfarm("drain", "web1", ...viewer)).toMatchObject({
      code: 4,
      stderr: expect.stringContaining("ADMIN_FORBIDDEN") as string,
    });
    const store = await run("grep", ["-r", made.stdout.trim().slice(-43), at("store")]);
    expect(store.code).toBe(1);
    expect(started.map((one) => one.log()).join("")).not.toContain(made.stdout.trim().slice(-43));
  });

  it("does not talk to what is not the farm's, and says why", async () => {
    expect(await certfarm("init", "other", "--store", "other-store")).toMatchObject({ code: 0 });
    const wrong = await certfarm("status", "--admin", url(0), "--identity", "other");
    expect(wrong).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/not signed by the authority that was given.*ADMIN_SERVER_UNTRUSTED/) as string,
    });
    const none = await certfarm("status", "--admin", url(0), "--token-file", at("one", "admin-token"));
    expect(none).toMatchObject({ code: 2, stderr: expect.stringContaining("no authority of a farm was given") as string });
    const clear = await certfarm("status", "--admin", "http://10.0.0.9:8499", "--token-file", at("one", "admin-token"));
    expect(clear).toMatchObject({ code: 2, stderr: expect.stringContaining("https:// only") as string });
  });

  it("with an identity that was revoked, or that is no admin's, is told so", async () => {
    const admin = ["--admin", url(0), "--identity", "one"];
    for (const [role, name, folder] of [
      ["node", "web1", "--data"],
      ["admin", "second", "--local"],
    ] as const) {
      const token = await certfarm(role, "token", name, ...admin);
      expect(token.code).toBe(0);
      await writeFile(at(`${name}-token`), token.stdout);
      const joined = await certfarm(role, "join", url(0), "--token", token.stdout.trim(), folder, at(name));
      expect(joined).toMatchObject({ code: 0 });
    }
    const node = await certfarm("status", "--admin", url(0), "--identity", "web1");
    expect(node).toMatchObject({ code: 4, stderr: expect.stringMatching(/web1 is node.*ADMIN_FORBIDDEN/) as string });
    const second = ["--admin", url(1), "--identity", "second"];
    expect((await certfarm("token", "list", ...second)).code).toBe(0);
    expect((await certfarm("identities", "revoke", "admin/second", ...admin)).code).toBe(0);
    await until(async () => /revoked.*ADMIN_CERTIFICATE_REFUSED/.test((await certfarm("token", "list", ...second)).stderr), {
      what: "the revoked admin is refused",
      deadlineMs: 20_000,
    });
  });
});

describe("the audit log of two admin APIs that change things at once", () => {
  it("is one chain in which every change is told twice, once before and once after, signed", async () => {
    const [first, second] = await Promise.all([clientOf(0), clientOf(1)]);
    const names = Array.from({ length: 24 }, (_each, number) => `t${number}`);
    const add = (client: AdminClient, name: string) =>
      client.call("token.add", { name, role: "viewer" }, { signal: new AbortController().signal });
    await Promise.all(names.map((name, number) => add(number % 2 === 0 ? first : second, name)));
    const { entries } = await first.call("audit.list", { limit: 1_000 });
    const told = (phase: string) => entries.filter((entry) => entry.phase === phase).map(({ target }) => /name=(t\d+)/.exec(target)?.[1]);
    for (const phase of ["begun", "ended"])
      expect(
        told(phase)
          .filter((name) => name !== undefined)
          .sort(),
      ).toEqual(names.toSorted());
    const verdict = await second.call("audit.verify", {});
    expect(verdict).toMatchObject({ isWhole: true, unknownSigners: 0, open: [] });
    expect(verdict.signed).toBe(verdict.entries);
  });

  it("is exported and verified without the farm, against an end that was noted", async () => {
    const admin = ["--admin", url(0), "--identity", "one"];
    const exported = await certfarm("audit", "export", "log.jsonl", ...admin);
    const pin = /^end: (\d+:[0-9a-f]{64})$/m.exec(exported.stderr)?.[1] ?? "";
    expect(pin).not.toBe("");
    const authority = ["--authority", at("one", "identity", "authority.pem")];
    expect(await certfarm("audit", "verify", "log.jsonl", "--pin", pin, ...authority)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`end: ${pin}`) as string,
    });
    expect(await certfarm("audit", "verify", "--pin", pin, ...admin)).toMatchObject({ code: 0 });
    const lines = (await readFile(at("log.jsonl"), "utf8")).split("\n");
    await writeFile(at("cut.jsonl"), lines.slice(0, -2).join("\n"));
    await writeFile(at("gap.jsonl"), lines.toSpliced(4, 1).join("\n"));
    await writeFile(at("edited.jsonl"), lines.with(2, (lines[2] ?? "").replace('"role":"admin"', '"role":"viewer"')).join("\n"));
    const cut = await certfarm("audit", "verify", "cut.jsonl", "--pin", pin, ...authority);
    expect(cut).toMatchObject({ code: 1, stdout: expect.stringContaining("its end was cut off") as string });
    expect(await certfarm("audit", "verify", "gap.jsonl")).toMatchObject({
      code: 1,
      stdout: expect.stringContaining("entry 5 is missing") as string,
    });
    expect(await certfarm("audit", "verify", "edited.jsonl")).toMatchObject({
      code: 1,
      stdout: expect.stringContaining("entry 3 was changed") as string,
    });
  });
});
