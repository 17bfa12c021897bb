import { rename } from "node:fs/promises";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { FarmError, instant } from "../base/index.ts";
import { openIdentity, saveIdentity } from "./identity-folder.ts";
import { makeIdentityKey } from "./identity-key.ts";
import type { AskAuthority, IdentityKeeper } from "./identity-keeper.ts";
import { replaceAuthority, retireAuthority } from "./init-authority.ts";
import { signAs, trustOf, verifyStatement } from "./signing.ts";
import { DAY, makeTestFarm, type TestFarm } from "./testing/test-farm.ts";
import { verifyIdentity } from "./verify-identity.ts";

let farm: TestFarm;
beforeEach(async () => {
  farm = await makeTestFarm();
});
afterEach(() => farm.close());

/** What the admin API does for a process that has proved by TLS who it is. */
const renewal: AskAuthority = async (as, requestPem) => (await farm.newDesk()).renew(as.identity(), requestPem);

async function joined(name: string, ask: AskAuthority = renewal): Promise<IdentityKeeper> {
  const { token } = await farm.desk.makeToken({ role: "node", name, ttlMs: DAY, by: "ops" });
  const key = await makeIdentityKey(name);
  const answer = await farm.desk.join(token, key.requestPem);
  await saveIdentity(join(farm.root, name), { ...answer, keyPem: key.keyPem });
  return farm.keep(name, ask);
}

const verdictOn = (keeper: IdentityKeeper, by: IdentityKeeper) =>
  verifyIdentity(keeper.identity().certificatePem, { ...trustOf(by), now: farm.clock.now() });

const speak = (keeper: IdentityKeeper): Uint8Array =>
  signAs(keeper, { kind: "report", to: "farm", id: "1", issuedAt: farm.clock.now(), notAfter: undefined, body: Buffer.from("{}") });

const believes = (listener: IdentityKeeper, said: Uint8Array) =>
  verifyStatement(said, { kind: "report", to: "farm", role: "node", signer: "web1", trust: trustOf(listener) }).kind;

describe("an identity that is kept", () => {
  test("is renewed with a new key at two thirds of its life, and used without a restart", async () => {
    const web1 = await joined("web1");
    const before = web1.identity();
    farm.clock.pass(19 * DAY);
    await web1.renewIfDue();
    expect(web1.identity()).toBe(before);
    let told = 0;
    web1.onChange(() => void (told += 1));
    farm.clock.pass(2 * DAY);
    await web1.renewIfDue();
    expect(told).toBe(1);
    expect(web1.identity().key.equals(before.key)).toBe(false);
    expect(web1.state().notAfter).toBe(instant(Math.floor((farm.clock.now() + 30 * DAY) / 1000) * 1000));
    expect((await openIdentity(join(farm.root, "web1")))?.certificatePem).toBe(web1.identity().certificatePem);
    expect(verdictOn(web1, farm.admin)).toMatchObject({ role: "node", name: "web1" });
  });

  test("says since when it could not be renewed, asks again later, and forgets it once it could", async () => {
    let calls = 0;
    let isUp = false;
    const web1 = await joined("web1", (as, requestPem, signal) => {
      calls += 1;
      if (!isUp) throw new FarmError("ADMIN_NOT_RUNNING", "nobody answers");
      return renewal(as, requestPem, signal);
    });
    farm.clock.pass(21 * DAY);
    const since = farm.clock.now();
    await web1.renewIfDue();
    await web1.renewIfDue();
    expect(calls).toBe(1);
    expect(web1.state().renewalFailing).toEqual({ since, problem: "nobody answers" });
    for (let minute = 0; minute < 240; minute += 1) {
      farm.clock.pass(60_000);
      await web1.renewIfDue();
    }
    expect(calls).toBeGreaterThan(8);
    expect(calls).toBeLessThan(20);
    isUp = true;
    farm.clock.pass(DAY);
    await web1.renewIfDue();
    expect(web1.state().renewalFailing).toBeUndefined();
  });

  test("does not take what is for somebody else", async () => {
    const web1 = await joined("web1", async (_as, requestPem) => (await farm.newDesk()).renew({ role: "admin", name: "web1" }, requestPem));
    const before = web1.identity();
    farm.clock.pass(21 * DAY);
    await web1.renewIfDue();
    expect(web1.identity()).toBe(before);
    expect(web1.state().renewalFailing?.problem).toContain("admin web1");
  });

  test.each<[string, number, string]>([
    ["a month behind", -31 * DAY, "not-yet-valid"],
    ["a month ahead", 31 * DAY, "expired"],
    ["half an hour behind", -DAY / 48, ""],
  ])("is refused or not by a clock that is %s", async (_, skewMs, reason) => {
    farm.clock.pass(100 * DAY);
    const web1 = await joined("web1");
    const verdict = verifyIdentity(web1.identity().certificatePem, { ...trustOf(farm.admin), now: instant(farm.clock.now() + skewMs) });
    expect("reason" in verdict ? verdict.reason : "").toBe(reason);
  });
});

describe("a revocation", () => {
  test("is followed by every process: what the identity signs is believed no longer", async () => {
    const [web1, web2] = [await joined("web1"), await joined("web2")];
    const said = speak(web1);
    expect(believes(web2, said)).toBe("verified");
    const changed = new Promise<void>((resolve) => void web2.onChange(resolve));
    const revoked = await farm.desk.revoke("web1", { by: "ops", reason: "stolen" });
    expect(revoked).toMatchObject([{ name: "web1", role: "node", state: "revoked" }]);
    await changed;
    expect(believes(web2, said)).toBe("refused");
    expect(verdictOn(web1, web2)).toMatchObject({ reason: "revoked" });
    await web1.look();
    expect(web1.state().revoked).toBe(true);
    await farm.admin.look();
    expect(await farm.desk.list()).toMatchObject([
      { role: "admin", state: "good" },
      { name: "web1", state: "revoked" },
      { name: "web2", state: "good" },
    ]);
  });

  test("is kept by those who know it when somebody takes it out of the store, also over a restart", async () => {
    const [web1, web2] = [await joined("web1"), await joined("web2")];
    const [{ serial } = { serial: "" }] = await farm.desk.revoke("web1", { by: "ops", reason: "" });
    await web2.look();
    for (const { key, rev } of await farm.state.list("identity/trust/revoked")) await farm.state.remove(key, rev);
    await web2.look();
    expect(web2.revoked.has(serial)).toBe(true);
    await web2.close();
    const again = await farm.keep("web2", renewal);
    expect(verdictOn(web1, again)).toMatchObject({ reason: "revoked" });
  });

  test("that no admin signed is not believed: whoever writes to the store cannot lock a node out", async () => {
    const [web1, web2] = [await joined("web1"), await joined("web2")];
    const { serial } = web1.state();
    const forged = signAs(web2, {
      kind: "revocation",
      to: "farm",
      id: serial,
      issuedAt: farm.clock.now(),
      notAfter: undefined,
      body: Buffer.from("{}"),
    });
    await farm.state.write(`identity/trust/revoked/${serial}`, forged, undefined);
    await farm.admin.look();
    expect(farm.admin.revoked.has(serial)).toBe(false);
  });

  test("of a name that several roles have, of nobody, and of the admin who would sign it, is refused", async () => {
    await joined("ops");
    await expect(farm.desk.revoke("ops", { by: "ops", reason: "" })).rejects.toThrow(/admin\/ops or node\/ops/);
    await expect(farm.desk.revoke("web9", { by: "ops", reason: "" })).rejects.toMatchObject({ code: "IDENTITY_UNKNOWN" });
    await expect(farm.desk.revoke("admin/ops", { by: "ops", reason: "" })).rejects.toThrow(/own revocation/);
  });
});

describe("a change of the authority", () => {
  test("reaches every process: both are trusted, identities are renewed under the new one, the old one is retired", async () => {
    const [web1, web2] = [await joined("web1"), await joined("web2")];
    await replaceAuthority({ ...farm.request(), rejoin: false });
    await farm.admin.close();
    const admin = await farm.keep("admin");
    await web1.look();
    await web2.look();
    expect("reason" in verdictOn(admin, web1)).toBe(false);
    expect("reason" in verdictOn(web2, web1)).toBe(false);
    await web1.renewIfDue();
    await retireAuthority(farm.request());
    await web1.look();
    await web2.look();
    expect(verdictOn(web2, web1)).toMatchObject({ reason: "untrusted" });
    expect("reason" in verdictOn(web1, web2)).toBe(false);
  });

  test("waits for an admin API that was not started again, and says so", async () => {
    const stale = farm.desk; // it holds the former key
    const web1 = await joined("web1", (as, requestPem) => stale.renew(as.identity(), requestPem));
    const before = web1.state().serial;
    await replaceAuthority({ ...farm.request(), rejoin: false });
    await farm.admin.look();
    await web1.look();
    await web1.renewIfDue();
    expect(web1.state()).toMatchObject({
      serial: before,
      renewalFailing: { problem: expect.stringContaining("former authority") as string },
    });
  });

  test("that no admin of the present one signed is not believed", async () => {
    const web1 = await joined("web1");
    const { authorityPem } = web1.identity();
    await rename(join(farm.root, "admin"), join(farm.root, "lost"));
    await replaceAuthority({ ...farm.request(), rejoin: true });
    await web1.look();
    expect(web1.identity().authorityPem).toBe(authorityPem);
  });
});
