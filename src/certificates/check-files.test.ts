import { chmod, mkdir, mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, it } from "vitest";

import { instant, Secret } from "../base/index.ts";
import { compile, type Compiled } from "../workers/testing/compile.ts";
import { checkCertificateFiles, checkFiles, type CheckSettings } from "./check-files.ts";
import { fixedPasswords } from "./passwords.ts";
import { makeCertificate, type TestFiles } from "./testing/certificate-files.ts";

let folder = "";
let files: TestFiles;
let compiled: Compiled;
let settings: CheckSettings;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "check-"));
  files = makeCertificate({ names: ["www.example.com"] });
  compiled = await compile("certificates/read-worker.ts");
  settings = { passwords: fixedPasswords([new Secret("hush")]), now: instant(Date.now()), workers: { entry: compiled.entry } };
});
afterAll(async () => {
  await compiled.remove();
  await rm(folder, { recursive: true });
});

async function write(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
}

it("checks every file and answers in order: what cannot be read is an answer, and nothing large is read", async () => {
  const large = join(folder, "large.pfx");
  const handle = await open(large, "w");
  await handle.truncate(100 << 20);
  await handle.close();
  await mkdir(join(folder, "directory.pfx"));
  await write("pair.key", files.key);
  const paths = [
    await write("good.pfx", files.pfx("hush")),
    await write("locked.pfx", files.pfx("another")),
    await write("pair.crt", files.certificate),
    await write("lonely.crt", files.certificate),
    await write("empty.pfx", new Uint8Array()),
    large,
    join(folder, "directory.pfx"),
    join(folder, "absent.pfx"),
    "/dev/null",
  ];
  const checked = await checkCertificateFiles(paths, settings);
  expect(checked.map(({ file }) => file)).toEqual(paths);
  expect(checked.map(({ status }) => status)).toEqual([
    "ok",
    "wrong-password",
    "ok",
    "no-key",
    "malformed",
    "too-costly",
    "unreadable",
    "unreadable",
    "unreadable",
  ]);
  for (const { status, problem } of checked) if (status !== "ok") expect(problem).toMatch(/\S/);
  expect(JSON.stringify(checked)).not.toContain("PRIVATE KEY");
});

it("says when the user may not read a file", async () => {
  const path = await write("forbidden.pfx", files.pem);
  await chmod(path, 0);
  const [found] = await checkCertificateFiles([path], settings);
  // Root may read everything.
  expect(found?.status).toBe(process.getuid?.() === 0 ? "ok" : "unreadable");
});

it("checks bytes and leaves them to the caller", async () => {
  const bytes = new Uint8Array(files.certificate);
  const [found] = await checkFiles([{ file: "uploaded.crt", bytes, keyBytes: files.key }], settings);
  expect(found).toMatchObject({ file: "uploaded.crt", status: "ok", facts: { leaf: { dnsNames: ["www.example.com"] } } });
  expect(bytes.byteLength).toBe(files.certificate.byteLength);
});

it("stops when it is cancelled", async () => {
  const signal = AbortSignal.abort();
  await expect(checkFiles([{ file: "a.pem", bytes: files.pem }], { ...settings, signal })).rejects.toMatchObject({ code: "CANCELLED" });
});
