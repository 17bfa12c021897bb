import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { curl } from "./farm/clients/curl.ts";
import { handshake } from "./farm/clients/tls.ts";
import { DEFAULT_CERTIFICATES, type CertificateSpec } from "./farm/certificates.ts";
import { DEFAULT_SITES, type SiteYaml } from "./farm/farm-yaml.ts";
import type { RunResult } from "./farm/run.ts";
import { startTestFarm, type Entrance, type TestFarm } from "./farm/start-test-farm.ts";
import { until } from "./farm/until.ts";

const NEW_SITE: SiteYaml = { name: "new", bindings: ["https://new.shop.localhost"], content: "shop" };
const LOST_SITE: SiteYaml = { name: "lost", bindings: ["https://lost.example"], content: "shop" };

let farm: TestFarm;

beforeAll(async () => {
  const certificates: readonly CertificateSpec[] = [
    ...DEFAULT_CERTIFICATES,
    { file: "new.shop.localhost.pfx", names: ["new.shop.localhost"] },
    { file: "-named.pfx", names: ["named.localhost"] }, // serves nobody by its name: bindings name it
  ];
  farm = await startTestFarm({ nodes: 2, admin: true, certificates });
});
afterAll(async () => farm?.stop());

const node = (name: string): Entrance => farm.nodes.find((one) => one.name === name) ?? expect.fail(`there is no ${name}`);

/** Writes a farm.yaml outside of the store. */
async function yamlFile(text: string): Promise<string> {
  const file = join(farm.root, "proposed.yaml");
  await writeFile(file, text);
  return file;
}

const config = async (verb: string, text: string, ...more: readonly string[]): Promise<RunResult> =>
  farm.cli(["config", verb, await yamlFile(text), ...more]);

/** The revisions there are, newest first. */
async function history(): Promise<readonly { readonly number: number; readonly by: string }[]> {
  const { stdout } = await farm.cli(["config", "history", "--json"]);
  const answer = JSON.parse(stdout) as { revisions?: { number: number; by: string }[] } | { number: number; by: string }[]; // the route's shape
  return Array.isArray(answer) ? answer : (answer.revisions ?? []);
}

const latest = async (): Promise<number> => (await history())[0]?.number ?? 0;

const everyNodeHas = (revision: number): Promise<unknown> =>
  until(async () => (await farm.reports()).every((report) => report.revision === revision), {
    what: `every node has revision ${revision}`,
  });

describe("certfarm config", () => {
  it("plan shows which certificate a host gets before and after, and changes nothing", async () => {
    const before = await latest();
    const { code, stdout } = await config("plan", farm.yaml({ sites: [...DEFAULT_SITES, NEW_SITE] }));
    expect(code).toBe(0);
    expect(stdout).toContain("new.shop.localhost");
    expect(await latest()).toBe(before);
  });

  it("apply --wait ends when every node has proved the revision", async () => {
    const before = await latest();
    const applied = await config("apply", farm.yaml({ sites: [...DEFAULT_SITES, NEW_SITE] }), "--wait", "30", "--note", "a new site");
    expect(applied, applied.stderr + applied.stdout).toMatchObject({ code: 0 });
    expect(await latest()).toBe(before + 1);
    for (const entrance of farm.entrances) {
      const answer = await curl({ url: `https://new.shop.localhost:${entrance.https}/`, caFile: farm.caFile });
      expect(answer).toMatchObject({ error: undefined, status: 200 });
    }
  });

  it("show, history and diff tell what was applied, by whom and what changed", async () => {
    const number = await latest();
    expect((await farm.cli(["config", "show"])).stdout).toBe(farm.yaml({ sites: [...DEFAULT_SITES, NEW_SITE] }));
    expect((await farm.cli(["config", "show", "1"])).stdout).toBe(farm.yaml());
    const listed = await farm.cli(["config", "history"]);
    expect(listed.stdout).toContain("a new site");
    expect((await farm.cli(["config", "diff", String(number - 1), String(number)])).stdout).toContain("new.shop.localhost");
  });

  it("rollback makes a new revision of an earlier one, and is refused while it would break a host", async () => {
    const before = await latest();
    const refused = await farm.cli(["config", "rollback", "1"]);
    expect(refused.code).toBe(4);
    expect(refused.stdout + refused.stderr).toContain("new.shop.localhost");
    expect(await latest()).toBe(before);
    const allowed = await farm.cli(["config", "rollback", "1", "--allow-broken", "new.shop.localhost", "--wait", "30"]);
    expect(allowed, allowed.stderr + allowed.stdout).toMatchObject({ code: 0 });
    expect(await latest()).toBe(before + 1);
    expect((await farm.cli(["config", "show"])).stdout).toBe(farm.yaml());
  });

  it("names every problem of an invalid file at once, with line and column, and makes no revision of it", async () => {
    const before = await latest();
    const wrong = farm.yaml().replace("redirectToHttps: true", "redirectToHtps: true").replace("content: api", "content: [api]");
    for (const verb of ["validate", "plan", "apply"]) {
      const { code, stdout, stderr } = await config(verb, wrong);
      expect(code, verb).toBe(1);
      expect(stdout + stderr, verb).toMatch(/\d+:\d+ error unknown key "redirectToHtps" \(did you mean "redirect/);
      expect(stdout + stderr, verb).toMatch(/\d+:\d+ error .*content|\d+:\d+ error[^\n]*\n[^\n]*content: \[api\]/);
    }
    expect((await config("apply", "farm: [unclosed")).code).toBe(1);
    expect(await latest()).toBe(before);
  });

  it("refuses a revision that names a missing certificate for a host that is served, unless told", async () => {
    const named = (certificate: string): SiteYaml => ({
      name: "named",
      bindings: [{ host: "named.localhost", certificate }],
      content: "shop",
    });
    expect((await config("apply", farm.yaml({ sites: [...DEFAULT_SITES, named("-named.pfx")] }), "--wait", "30")).code).toBe(0);
    const before = await latest();
    const missing = farm.yaml({ sites: [...DEFAULT_SITES, named("absent.pfx")] });
    const { code, stdout, stderr } = await config("apply", missing);
    expect(code).toBe(4);
    expect(stdout + stderr).toContain("named.localhost");
    expect(await latest()).toBe(before);
    for (const { https } of farm.nodes) {
      const answer = await handshake({ port: https, servername: "named.localhost", ca: farm.authority.certificatePem });
      expect(answer).toMatchObject({ kind: "served" });
    }
    expect((await config("apply", farm.yaml(), "--allow-broken", "named.localhost")).code).toBe(0);
    await everyNodeHas(before + 1);
  });

  it("says in the plan which new hosts have no certificate yet, and breaks nothing by taking them", async () => {
    const lost = farm.yaml({ sites: [...DEFAULT_SITES, LOST_SITE] });
    expect((await config("plan", lost)).stdout).toMatch(/no certificate for lost\.example/);
    expect((await config("apply", lost)).code).toBe(0);
    const answer = await handshake({ port: node("web1").https, servername: "www.shop.localhost", ca: farm.authority.certificatePem });
    expect(answer).toMatchObject({ kind: "served" });
    expect((await config("apply", farm.yaml())).code).toBe(0);
  });

  it("gives the second of two writers a conflict, and loses nothing", async () => {
    const base = await latest();
    const first = farm.yaml({ limits: { maxLiveNames: 501 } });
    const second = farm.yaml({ limits: { maxLiveNames: 502 } });
    expect((await config("apply", first, "--base", String(base))).code).toBe(0);
    const conflict = await config("apply", second, "--base", String(base));
    expect(conflict.code).toBe(3);
    expect((await farm.cli(["config", "show"])).stdout).toBe(first);
    expect(await latest()).toBe(base + 1);
  });
});

describe("a farm.yaml that is saved into the store", () => {
  it("becomes a revision when it is good", async () => {
    const before = await latest();
    await farm.saveYaml(farm.yaml({ sites: [...DEFAULT_SITES, NEW_SITE] }));
    await everyNodeHas(before + 1);
    expect((await history())[0]?.by).toContain("saved file");
  });

  it("is refused when it is not valid; the last good one goes on and status says why", async () => {
    const before = await latest();
    const bad = farm.yaml().replace("farm: test", "farm: test\nsights: []");
    await farm.saveYaml(bad);
    const told = async (): Promise<boolean> => {
      const { stdout, code } = await farm.cli(["status"]);
      return code === 1 && stdout.includes("sights");
    };
    await until(told, { what: "status tells of the refused file", everyMs: 300 });
    expect(await latest()).toBe(before);
    expect(
      await handshake({ port: node("web1").https, servername: "new.shop.localhost", ca: farm.authority.certificatePem }),
    ).toMatchObject({ kind: "served" });
  });

  it("is refused when it would break a host that is served", async () => {
    const before = await latest();
    await farm.saveYaml(farm.yaml({ sites: [...DEFAULT_SITES.slice(1), NEW_SITE] }));
    const told = async (): Promise<boolean> =>
      (await farm.cli(["status"])).stdout.includes("www.shop.localhost") && (await farm.cli(["status"])).code === 1;
    await until(told, { what: "status tells of the refused file", everyMs: 300 });
    expect(await latest()).toBe(before);
    await farm.saveYaml(farm.yaml({ sites: [...DEFAULT_SITES, NEW_SITE] }));
    await until(async () => (await farm.cli(["status"])).code === 0, { what: "status is good again", everyMs: 300 });
  });
});

describe("a node's binding table", () => {
  beforeAll(async () => {
    const next = (await latest()) + 1;
    await farm.saveYaml(farm.yaml({ nodeKeys: { web2: { reconcile: "observe" } }, sites: [...DEFAULT_SITES, NEW_SITE] }));
    await everyNodeHas(next);
  });

  const SHADOW = ["ip:127.0.0.1:443", "--file", "legacy.shop.localhost.pfx"] as const;

  it("is shown as a table, as netsh does, and as JSON", async () => {
    expect((await farm.cli(["bindings", "show", "--node", "web1"])).stdout).toMatch(/central/);
    expect((await farm.cli(["bindings", "show", "--node", "web1", "--format", "netsh"])).stdout).toMatch(
      /Central Certificate Store\s+: 443/,
    );
    expect(JSON.parse((await farm.cli(["bindings", "show", "--node", "web1", "--format", "json"])).stdout)).toBeTruthy();
  });

  it("of a node that mends is mended: a row that shadows every site does not stay", async () => {
    expect((await farm.cli(["bindings", "add", ...SHADOW, "--node", "web1"])).code).toBe(0);
    const mended = async (): Promise<boolean> => (await farm.ask("web1", "table.show", {})).rows.every(({ key }) => key.kind === "central");
    await until(mended, { what: "web1 mends its table" });
    expect(
      await handshake({ port: node("web1").https, servername: "www.shop.localhost", ca: farm.authority.certificatePem }),
    ).toMatchObject({ kind: "served" });
  });

  it("of a node that observes drifts, and status, explain and the wire say the same", async () => {
    expect((await farm.cli(["bindings", "add", ...SHADOW, "--node", "web2"])).code).toBe(0);
    const explained = await farm.cli(["explain", "www.shop.localhost", "--node", "web2", "--at", "127.0.0.1:443"]);
    expect(explained.stdout).toContain("legacy.shop.localhost.pfx");
    const wire = await handshake({ port: node("web2").https, servername: "www.shop.localhost", rejectUnauthorized: false });
    expect(wire).toMatchObject({ kind: "served", names: ["legacy.shop.localhost"] });
    await until(async () => (await farm.cli(["status"])).code === 1, { what: "status tells of the drift", everyMs: 300 });
    expect((await farm.ask("web2", "table.show", {})).drift).not.toEqual([]);
    expect((await farm.cli(["bindings", "delete", SHADOW[0], "--node", "web2"])).code).toBe(0);
    await until(async () => (await farm.cli(["status"])).code === 0, { what: "status is good again", everyMs: 300 });
  });

  it("without its central row serves nobody, and can be given it back", async () => {
    expect((await farm.cli(["bindings", "delete", "central:443", "--node", "web2"])).code).toBe(0);
    expect((await farm.cli(["explain", "www.shop.localhost", "--node", "web2"])).code).toBe(1);
    expect(await handshake({ port: node("web2").https, servername: "www.shop.localhost" })).toEqual({
      kind: "failed",
      error: "ERR_SSL_TLSV1_UNRECOGNIZED_NAME",
    });
    expect((await farm.cli(["bindings", "add", "central:443", "--node", "web2"])).code).toBe(0);
    expect(
      await handshake({ port: node("web2").https, servername: "www.shop.localhost", ca: farm.authority.certificatePem }),
    ).toMatchObject({ kind: "served" });
  });

  it("explained for every host names what is served", async () => {
    for (const host of ["www.shop.localhost", "one.apps.localhost", "legacy.shop.localhost"]) {
      const { code, stdout } = await farm.cli(["explain", host]);
      expect(code).toBe(0);
      expect(stdout).toContain(host === "one.apps.localhost" ? "_.apps.localhost.pfx" : `${host}.pfx`);
    }
    expect((await farm.cli(["explain", "nobody.example"])).code).toBe(1);
    expect((await farm.cli(["explain", "--no-sni"])).code).toBe(1);
  });

  it("and its refusals are shown", async () => {
    await handshake({ port: node("web1").https, servername: "who.example" });
    const { stdout } = await farm.cli(["refusals", "--node", "web1"]);
    expect(stdout).toContain("who.example");
  });
});
