import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it, test } from "vitest";

import { createLog, silentLog } from "../base/index.ts";
import { matchesGlob } from "./password-lookup.ts";
import { openPasswords, type PasswordSource } from "./passwords.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "passwords-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text, { mode: 0o600 });
  return path;
}

const tried = (source: PasswordSource, name: string): string[] => source.for(name).map((secret) => secret.reveal());

describe("passwords of certificate files", () => {
  it("come most particular first: name, pattern, store, environment; each once", async () => {
    const path = await file(
      "a.yaml",
      'everyFile: [store, shared]\nfiles:\n  "*.example.com.pfx": pattern\n  WWW.example.com.pfx: [own, shared]\n',
    );
    const single = await file("single", "from-file\r\nsecond line\n");
    const environment = { CERTFARM_PFX_PASSWORD: "from-environment", CERTFARM_PFX_PASSWORD_FILE: single };
    const source = await openPasswords({ file: path, environment, log: silentLog });
    expect(tried(source, "www.EXAMPLE.com.pfx")).toEqual(["own", "shared", "pattern", "store", "from-file", "from-environment"]);
    expect(tried(source, "other.pfx")).toEqual(["store", "shared", "from-file", "from-environment"]);
  });

  it("may be JSON, may be empty, and no more than 16 are tried", async () => {
    const path = await file("a.json", JSON.stringify({ files: { "*": Array.from({ length: 16 }, (_, i) => `p${i}`) }, everyFile: "last" }));
    expect(tried(await openPasswords({ file: path, log: silentLog }), "x.pfx")).toHaveLength(16);
    expect(tried(await openPasswords({ file: await file("empty.yaml", ""), log: silentLog }), "x.pfx")).toEqual([]);
  });

  it("are taken over when the file changes; a broken file leaves the former ones", async () => {
    const path = await file("b.yaml", "everyFile: one\n");
    const source = await openPasswords({ file: path, log: silentLog });
    expect(await source.refresh()).toBe(false);
    await writeFile(path, "everyFile: second\n");
    expect(await source.refresh()).toBe(true);
    expect(tried(source, "x.pfx")).toEqual(["second"]);
    await writeFile(path, "everyFile: [broken\n");
    expect(await source.refresh()).toBe(false);
    expect(tried(source, "x.pfx")).toEqual(["second"]);
    await rm(path);
    expect(await source.refresh()).toBe(false);
    expect(tried(source, "x.pfx")).toEqual(["second"]);
  });

  test.each([
    ["what is not YAML, by line", "everyFile: a\nfiles: [hush-hush\n", /line 3/],
    ["an unknown key, by name", "password: hush-hush\n", /unknown key password/],
    ["a value of another kind, by place", "files:\n  a.pfx: {x: hush-hush}\n", /files\.a\.pfx/],
  ])("errors name %s, and never a password", async (name, text, expected) => {
    const path = await file(`${name.length}.yaml`, text);
    const error: unknown = await openPasswords({ file: path, log: silentLog }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "CERTIFICATES_PASSWORDS_INVALID", message: expect.stringMatching(expected) });
    expect(JSON.stringify(error)).not.toContain("hush");
  });

  it("are missed at the start with an error, and a file that others can read is warned about", async () => {
    await expect(openPasswords({ file: join(folder, "absent"), log: silentLog })).rejects.toMatchObject({
      code: "CERTIFICATES_PASSWORDS_INVALID",
    });
    const path = await file("open.yaml", "everyFile: hush\n");
    await chmod(path, 0o644);
    const lines: string[] = [];
    await openPasswords({ file: path, log: createLog({ write: (line) => lines.push(line), now: () => 0 }) });
    expect(lines.join("")).toMatch(/can be read by others/);
    expect(lines.join("")).not.toContain("hush");
  });
});

test.each([
  ["*", "", true],
  ["*.pfx", "a.b.pfx", true],
  ["*.pfx", "a.pem", false],
  ["a*b*c", "a-b-b-c", true],
  ["a*b*c", "a-b-b-", false],
  ["?.pfx", "a.pfx", true],
  ["?.pfx", ".pfx", false],
  ["www.pfx", "www.pfx", true],
  [`${"*a".repeat(60)}b`, "a".repeat(200), false],
])("pattern %s against %s", (pattern, name, expected) => {
  expect(matchesGlob(pattern, name)).toBe(expected);
});
