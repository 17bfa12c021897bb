import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { instant, Secret } from "../base/index.ts";
import { createMemoryStore } from "../store/index.ts";
import { compile, type Compiled } from "../workers/testing/compile.ts";
import { listCertificates, type ListSettings } from "./list-certificates.ts";
import { fixedPasswords } from "./passwords.ts";
import { makeCertificate, type TestFiles } from "./testing/certificate-files.ts";
import type { FileListing } from "./types.ts";

let compiled: Compiled;
let www: TestFiles;
beforeAll(async () => {
  compiled = await compile("certificates/read-worker.ts");
  www = makeCertificate({ names: ["www.example.com"], until: "20980101000000Z" });
});
afterAll(() => compiled.remove());

async function list(files: Readonly<Record<string, Uint8Array>>, more: Partial<ListSettings> = {}): Promise<readonly FileListing[]> {
  const store = createMemoryStore();
  const folder = store.folder("certificates");
  for (const [name, bytes] of Object.entries(files)) await folder.put(name, bytes);
  const settings = {
    folder,
    passwords: fixedPasswords([new Secret("hush")]),
    now: instant(Date.now()),
    workers: { entry: compiled.entry },
  };
  const found: FileListing[] = [];
  for await (const file of listCertificates({ ...settings, ...more })) found.push(file);
  await store.close();
  return found;
}

/** The warnings of each file, in the order given. */
async function warningsOf(...files: readonly (readonly [string, Uint8Array])[]): Promise<readonly string[]> {
  const found = await list(Object.fromEntries(files));
  return files.map(([name]) => found.find(({ file }) => file === name)?.warnings.join("\n") ?? "not listed");
}

describe("the list of certificate files", () => {
  it("has every certificate file once, by name, with facts and promises and no secret", async () => {
    const wild = makeCertificate({ names: ["*.example.com"] });
    const progress: string[] = [];
    const found = await list(
      {
        "www.example.com.pfx": www.pfx("hush"),
        "_.example.com.crt": wild.certificate,
        "_.example.com.key": wild.key,
        "readme.txt": www.pem,
      },
      { onProgress: ({ done, total }) => progress.push(`${done}/${total}`) },
    );
    expect(found.map(({ file, promises, reading, warnings }) => ({ file, promises, status: reading.status, warnings }))).toEqual([
      { file: "_.example.com.crt", promises: ["*.example.com"], status: "ok", warnings: expect.any(Array) },
      { file: "www.example.com.pfx", promises: ["www.example.com"], status: "ok", warnings: expect.any(Array) },
    ]);
    expect(progress).toEqual(["1/2", "2/2"]);
    expect(JSON.stringify(found)).not.toContain("PRIVATE KEY");
  });

  it("tells which of several files for a name wins, and why", async () => {
    const later = makeCertificate({ names: ["www.example.com"], until: "20990101000000Z" });
    const old = makeCertificate({ names: ["www.example.com"], until: "20210101000000Z" });
    const rsa = makeCertificate({ names: ["www.example.com"], key: "rsa" });
    const found = await list({
      "www.example.com.pem": www.pem,
      "www.example.com.pfx": later.pfx("hush"),
      "WWW.example.com.pem": old.pem,
      "www.example.com.p12": www.pem.subarray(0, 100),
      "www.example.com.crt": later.pem,
      "www.example.com.rsa.pem": rsa.pem,
    });
    const shadows = Object.fromEntries(found.map(({ file, shadowedBy }) => [file, shadowedBy]));
    expect(shadows).toEqual({
      "www.example.com.crt": undefined,
      "www.example.com.rsa.pem": undefined,
      "www.example.com.pfx": { file: "www.example.com.crt", because: "both hold the same certificate" },
      "www.example.com.pem": {
        file: "www.example.com.crt",
        because: "www.example.com.crt is valid until 2099-01-01, later than 2098-01-01",
      },
      "WWW.example.com.pem": { file: "www.example.com.crt", because: "www.example.com.crt is valid now" },
      "www.example.com.p12": { file: "www.example.com.crt", because: "www.example.com.p12 cannot be used" },
    });
  });

  it("warns of names that promise what the certificate does not hold, or nothing at all", async () => {
    const wild = makeCertificate({ names: ["*.example.com"] });
    const [shop, wildcard, unnamed, hyphen, right, covered, deep] = await warningsOf(
      ["shop.example.com.pem", www.pem],
      ["_.example.com.pem", www.pem],
      ["default.pem", www.pem],
      ["-all.pem", www.pem],
      ["www.example.com.pem", www.pem],
      ["x.example.com.pem", wild.pem],
      ["a.b.example.com.pem", wild.pem],
    );
    expect(shop).toMatch(/promises shop\.example\.com.*names www\.example\.com/);
    expect(wildcard).toMatch(/promises \*\.example\.com/);
    expect(unnamed).toMatch(/serves nobody/);
    expect(hyphen).toMatch(/serves nobody/);
    expect(right).not.toMatch(/promises|nobody|not listed/);
    expect(covered).not.toMatch(/promises|not listed/);
    expect(deep).toMatch(/promises/);
  });

  it("warns of spellings that other readers miss, keys that are missing, and an end that is near", async () => {
    const idn = makeCertificate({ names: ["xn--bcher-kva.example"] });
    const end = new Date(Date.now() + 10.5 * 86_400_000).toISOString().replace(/[-:T]|\.\d+/g, "");
    const [alabel, decomposed, composed, p12, lone, ending] = await warningsOf(
      ["xn--bcher-kva.example.pem", idn.pem],
      ["bu\u0308cher.example.pem", idn.pem],
      ["b\u00fccher.example.pem", idn.pem],
      ["www.example.com.p12", www.pfx("hush")],
      ["www.example.com.crt", www.certificate],
      ["soon.example.pem", makeCertificate({ names: ["soon.example"], until: end }).pem],
    );
    expect(alabel).toMatch(/Unicode name bücher\.example\.pem/);
    expect(decomposed).toMatch(/NFD/);
    expect(composed).not.toMatch(/Unicode|not listed/);
    expect(p12).toMatch(/\.p12/);
    expect(lone).toMatch(/no www\.example\.com\.key/);
    expect(ending).toMatch(/expires in 10 days/);
  });

  it("can be narrowed to a host or a pattern", async () => {
    const files = { "www.example.com.pem": www.pem, "_.example.com.pem": www.pem, "other.example.pem": www.pem };
    const names = async (filter: string): Promise<string[]> => (await list(files, { filter })).map(({ file }) => file);
    expect(await names("www.example.com")).toEqual(["_.example.com.pem", "www.example.com.pem"]);
    expect(await names("OTHER.*")).toEqual(["other.example.pem"]);
    expect(await names("absent.example")).toEqual([]);
  });

  it("ends with the error of a store that is gone, and when it is cancelled", async () => {
    const faults = () => "unavailable" as const;
    const gone = createMemoryStore({ faults });
    await expect(list({}, { folder: gone.folder("certificates") })).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    await gone.close();
    await expect(list({ "www.example.com.pem": www.pem }, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "CANCELLED" });
  });
});
