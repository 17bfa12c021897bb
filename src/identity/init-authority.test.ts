import { execFileSync } from "node:child_process";
import { readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { Secret } from "../base/index.ts";
import { openIdentity } from "./identity-folder.ts";
import { initAuthority, replaceAuthority, retireAuthority } from "./init-authority.ts";
import { DAY, makeTestFarm, type TestFarm } from "./testing/test-farm.ts";
import { readAuthority } from "./trust-records.ts";
import { splitAuthorities } from "./verify-identity.ts";

let farm: TestFarm;
beforeEach(async () => {
  farm = await makeTestFarm();
});
afterEach(() => farm.close());

const openssl = (args: string): string => execFileSync("openssl", args.split(" "), { encoding: "utf8", cwd: farm.root, timeout: 30_000 });
const modeOf = async (...path: readonly string[]): Promise<number> => (await stat(join(farm.root, ...path))).mode & 0o777;

describe("making a farm's authority", () => {
  test("leaves a private key, an admin identity that OpenSSL verifies, and the certificate in the store", async () => {
    expect(await modeOf("admin", "authority", "key.pem")).toBe(0o600);
    expect(await modeOf("admin", "authority")).toBe(0o700);
    expect(await modeOf("admin", "identity", "key.pem")).toBe(0o600);
    const at = Math.floor(farm.clock.now() / 1000);
    const verified = openssl(
      `verify -attime ${at} -x509_strict -purpose sslclient -CAfile admin/identity/authority.pem admin/identity/certificate.pem`,
    );
    expect(verified).toContain("OK");
    expect(openssl("x509 -in admin/authority/certificate.pem -noout -text")).toContain("CA:TRUE, pathlen:0");
    const record = await readAuthority(farm.state);
    expect(openssl("x509 -in admin/identity/certificate.pem -noout -ext subjectAltName")).toContain(
      `URI:urn:certfarm:${record?.farmId}:admin:ops`,
    );
    expect(record?.authorityPem).toBe(await readFile(join(farm.root, "admin", "authority", "certificate.pem"), "utf8"));
    const stored = (await farm.state.list("identity")).map(({ value }) => Buffer.from(value).toString("latin1")).join("");
    expect(stored).not.toContain("PRIVATE KEY");
  });

  test("done twice changes nothing and says so", async () => {
    const before = await readFile(join(farm.root, "admin", "identity", "certificate.pem"), "utf8");
    const entries = await farm.state.list("identity");
    expect(await initAuthority(farm.request())).toMatchObject({ kind: "unchanged", name: "ops", trusted: 1 });
    expect(await readFile(join(farm.root, "admin", "identity", "certificate.pem"), "utf8")).toBe(before);
    expect(await farm.state.list("identity")).toEqual(entries);
  });

  test("makes the admin's identity anew when it was lost or is nearly over", async () => {
    await rm(join(farm.root, "admin", "identity"), { recursive: true });
    expect(await initAuthority(farm.request())).toMatchObject({ kind: "made" });
    farm.clock.pass(25 * DAY);
    expect(await initAuthority(farm.request())).toMatchObject({ kind: "made" });
    expect(await initAuthority(farm.request())).toMatchObject({ kind: "unchanged" });
  });

  test("is refused for a store that has another authority, and leaves no second one behind", async () => {
    await expect(initAuthority(farm.request("intruder"))).rejects.toMatchObject({ code: "IDENTITY_AUTHORITY_OTHER" });
    await expect(stat(join(farm.root, "intruder"))).rejects.toThrow(/ENOENT/);
  });

  test.each<[string, string, RegExp]>([
    ["that is no authority", "-addext basicConstraints=critical,CA:FALSE", /not one of an authority/],
    ["with a key of another curve", "-pkeyopt ec_paramgen_curve:secp384r1", /neither P-256 nor RSA/],
  ])("is refused with a certificate %s", async (_, options, problem) => {
    const curve = options.includes("curve") ? options : `-pkeyopt ec_paramgen_curve:prime256v1 ${options}`;
    openssl(`req -x509 -newkey ec ${curve} -nodes -keyout ca.key -out ca.pem -days 3650 -subj /CN=Given`);
    await expect(initAuthority(await given("ca.pem", "ca.key"))).rejects.toThrow(problem);
  });

  test("takes one that was made elsewhere, and refuses a key that is not its own", async () => {
    openssl(
      "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout ca.key -out ca.pem -days 3650 -subj /O=Example/CN=Given",
    );
    openssl("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:prime256v1 -out other.key");
    await expect(initAuthority(await given("ca.pem", "other.key"))).rejects.toThrow(/not the certificate's/);
    expect(await initAuthority(await given("ca.pem", "ca.key"))).toMatchObject({ kind: "made" });
    expect(openssl("verify -CAfile ca.pem given/identity/certificate.pem")).toContain("OK");
  });

  /** A request for a farm of its own, by the machine's clock: OpenSSL made the certificate now. */
  async function given(certificate: string, key: string) {
    const { createMemoryStore } = await import("../store/index.ts");
    const { systemClock } = await import("../base/index.ts");
    const [certificatePem, keyPem] = await Promise.all([certificate, key].map((name) => readFile(join(farm.root, name), "utf8")));
    const pair = { certificatePem: certificatePem ?? "", keyPem: new Secret(keyPem ?? "") };
    return { ...farm.request("given"), state: createMemoryStore().state, clock: systemClock, given: pair };
  }
});

describe("another authority in the present one's place", () => {
  test("is trusted beside the present one until that is retired", async () => {
    const made = await farm.desk.makeToken({ role: "node", name: "web1", ttlMs: DAY, by: "ops" });
    expect(made.already).toEqual([]);
    const replaced = await replaceAuthority({ ...farm.request(), rejoin: false });
    expect(replaced).toMatchObject({ kind: "replaced", trusted: 2 });
    const record = await readAuthority(farm.state);
    expect(record).toMatchObject({ generation: 2, farmId: replaced.farmId });
    expect(splitAuthorities(record?.authorityPem ?? "")).toHaveLength(2);
    expect((await openIdentity(join(farm.root, "admin")))?.authorityPem).toBe(record?.authorityPem);
    expect(await initAuthority(farm.request())).toMatchObject({ kind: "unchanged", trusted: 2 });
    expect(await retireAuthority(farm.request())).toMatchObject({ kind: "retired", trusted: 1 });
    expect(await retireAuthority(farm.request())).toMatchObject({ kind: "unchanged", trusted: 1 });
    expect(await readAuthority(farm.state)).toMatchObject({ generation: 3 });
  });

  test("can be made when the old key is lost, as long as an admin identity is left", async () => {
    await rm(join(farm.root, "admin", "authority"), { recursive: true });
    await expect(initAuthority(farm.request())).rejects.toMatchObject({ code: "IDENTITY_AUTHORITY_OTHER" });
    expect(await replaceAuthority({ ...farm.request(), rejoin: false })).toMatchObject({ kind: "replaced", trusted: 2 });
  });

  test("needs an admin identity, or that everybody joins again", async () => {
    await rm(join(farm.root, "admin"), { recursive: true });
    await expect(replaceAuthority({ ...farm.request(), rejoin: false })).rejects.toMatchObject({ code: "IDENTITY_REFUSED" });
    expect(await replaceAuthority({ ...farm.request(), rejoin: true })).toMatchObject({ kind: "replaced", trusted: 1 });
  });
});

test("a damaged identity is told with its file, never taken for none", async () => {
  await writeFile(join(farm.root, "admin", "identity", "key.pem"), "damaged");
  await expect(openIdentity(join(farm.root, "admin"))).rejects.toMatchObject({ code: "IDENTITY_FOLDER_UNUSABLE" });
  await rm(join(farm.root, "admin", "identity", "key.pem"));
  await expect(openIdentity(join(farm.root, "admin"))).rejects.toThrow(/missing/);
  expect(await openIdentity(join(farm.root, "nobody"))).toBeUndefined();
});
