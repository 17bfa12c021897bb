import { randomBytes } from "node:crypto";

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { Secret, silentLog, systemClock } from "../base/index.ts";
import { noPasswords } from "../certificates/index.ts";
import { createAuthority, writePfx, type Authority } from "../pki/index.ts";
import { farmKeySource, sealStore } from "../secrets/index.ts";
import { createMemoryStore, type FarmStore } from "../store/index.ts";
import { compile, type Compiled } from "../workers/testing/compile.ts";
import { addCertificate, removeCertificate, type NewCertificate } from "./add-certificate.ts";
import type { OperationsParts } from "./parts.ts";

const password = new Secret("hush");
const MAX = { maxBytes: 1 << 20 };
const environment = { CERTFARM_FARM_KEY: randomBytes(32).toString("base64") };
const pem = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString();

let authority: Authority;
let compiled: Compiled;
let kept: FarmStore;
beforeAll(async () => {
  authority = await createAuthority({ name: "test CA", now: systemClock.now() });
  compiled = await compile("certificates/read-worker.ts");
});
afterAll(() => compiled.remove());
beforeEach(() => {
  kept = createMemoryStore();
});

/** Use cases over a farm with a farm key, or without. */
function parts(hasKey: boolean): OperationsParts {
  const source = hasKey ? farmKeySource({ environment }) : undefined;
  const sealed = sealStore(kept, { source, clock: systemClock, log: silentLog });
  const workers = { entry: compiled.entry };
  return { store: sealed.store, sealed, clock: systemClock, log: silentLog, passwords: noPasswords, by: "test", workers };
}

async function pfx(
  names: readonly [string, ...string[]],
  file: string,
  dates: object = {},
): Promise<NewCertificate & { readonly keyPem: string }> {
  const { chainPem, keyPem } = await authority.issue({ names, ...dates });
  return { file, bytes: await writePfx({ chainPem, keyPem }, { password, profile: "modern" }), password, keyPem: keyPem.reveal() };
}

describe("adding a certificate", () => {
  it("to a farm with a key keeps it sealed, as PEM that no password is needed for", async () => {
    const given = await pfx(["www.example.com", "example.com"], "upload.pfx");
    const added = await addCertificate(parts(true), given);
    expect(added).toMatchObject({ file: "www.example.com.pem", sealed: true, replaced: false, others: [] });
    const stored = await kept.folder("certificates").read("www.example.com.pem", MAX);
    expect(pem(stored?.bytes)).not.toContain("PRIVATE KEY");
    const opened = pem((await parts(true).store.folder("certificates").read("www.example.com.pem", MAX))?.bytes);
    expect(opened).toContain("BEGIN CERTIFICATE");
    expect(opened).toContain(given.keyPem.trim());
    expect(JSON.stringify(added)).not.toContain("PRIVATE KEY");
    expect(await addCertificate(parts(true), given)).toMatchObject({ replaced: true });
  });

  it("to a directory without a key keeps the file as it is, with the key beside it", async () => {
    const given = await pfx(["www.example.com"], "upload.p12");
    expect(await addCertificate(parts(false), given)).toMatchObject({ file: "www.example.com.p12", sealed: false });
    expect((await kept.folder("certificates").read("www.example.com.p12", MAX))?.bytes).toEqual(new Uint8Array(given.bytes));
    const { chainPem, keyPem } = await authority.issue({ names: ["api.example.com"] });
    const pair = { file: "api.crt", bytes: Buffer.from(chainPem), keyBytes: Buffer.from(keyPem.reveal()) };
    expect(await addCertificate(parts(false), pair)).toMatchObject({ file: "api.example.com.crt" });
    expect([...(await kept.folder("certificates").names())].sort()).toEqual([
      "api.example.com.crt",
      "api.example.com.key",
      "www.example.com.p12",
    ]);
    expect(await removeCertificate(parts(false), "api.example.com.crt")).toEqual({
      removed: ["api.example.com.crt", "api.example.com.key"],
    });
  });

  it("tells other files of the same host", async () => {
    await addCertificate(parts(false), await pfx(["www.example.com"], "a.pfx"));
    const added = await addCertificate(parts(true), await pfx(["www.example.com"], "a.pfx"));
    expect(added).toMatchObject({ file: "www.example.com.pem", others: ["www.example.com.pfx"] });
  });

  it.each<[string, [string, ...string[]], string, string | undefined, string]>([
    [
      "its own name, when the certificate covers it",
      ["example.com", "www.example.com"],
      "www.example.com.pfx",
      undefined,
      "www.example.com.pem",
    ],
    ["its own name with the kind of key", ["www.example.com"], "www.example.com.ecdsa.pfx", undefined, "www.example.com.ecdsa.pem"],
    ["its first host otherwise", ["example.com"], "other.example.com.pfx", undefined, "example.com.pem"],
    ["a wildcard", ["*.example.com"], "x.pfx", undefined, "_.example.com.pem"],
    ["the host that was told", ["*.example.com"], "x.pfx", "shop.example.com", "shop.example.com.pem"],
    ["a host beyond ASCII", ["xn--bcher-kva.example"], "x.pfx", "bücher.example", "xn--bcher-kva.example.pem"],
  ])("names the file after %s", async (_what, names, file, host, wanted) => {
    const given = { ...(await pfx(names, file)), ...(host === undefined ? {} : { host }) };
    expect(await addCertificate(parts(true), given)).toMatchObject({ file: wanted });
  });

  it.each(["www.other.com", "*.example.com", "../x", ""])("refuses the host %j, which it does not cover", async (host) => {
    const given = { ...(await pfx(["www.example.com"], "x.pfx")), host };
    await expect(addCertificate(parts(true), given)).rejects.toMatchObject({ code: "CERTIFICATES_NAME_REFUSED" });
    expect(await kept.folder("certificates").names()).toEqual([]);
  });

  it.each<[string, () => Promise<NewCertificate>, RegExp]>([
    ["an expired one", () => pfx(["www.example.com"], "x.pfx", { notAfter: systemClock.now() - 1_000 }), /expired/],
    [
      "one whose password is another",
      async () => ({ ...(await pfx(["www.example.com"], "x.pfx")), password: new Secret("no") }),
      /wrong-password/,
    ],
    ["no certificate at all", async () => ({ file: "x.pem", bytes: Buffer.from("hello") }), /x\.pem is/],
    [
      "one without its key",
      async () => ({ file: "x.pem", bytes: Buffer.from((await authority.issue({ names: ["a.example.com"] })).chainPem) }),
      /no-key/,
    ],
  ])("refuses %s and writes nothing", async (_what, make, problem) => {
    await expect(addCertificate(parts(true), await make())).rejects.toMatchObject({
      code: "CERTIFICATES_FILE_REFUSED",
      message: expect.stringMatching(problem) as string,
    });
    expect(await kept.folder("certificates").names()).toEqual([]);
  });
});

it("removing what is not there is told", async () => {
  await expect(removeCertificate(parts(true), "absent.pem")).rejects.toMatchObject({ code: "CERTIFICATES_FILE_ABSENT" });
});
