import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { afterAll, beforeAll, expect, it } from "vitest";

import { certificateFile, createTestAuthority, PFX_PASSWORD } from "./farm/certificates.ts";
import { run, type RunResult } from "./farm/run.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

let folder: string;

/** Runs npm or npx in the folder where the package is installed. */
const there = (command: string, args: readonly string[]): Promise<RunResult> => run(command, args, { cwd: folder, timeoutMs: 120_000 });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "certfarm-package-"));
  // The build is there already; building again would take it from under the other tests.
  const packed = await run("npm", ["pack", "--ignore-scripts", "--pack-destination", folder], { cwd: ROOT, timeoutMs: 60_000 });
  expect(packed, packed.stderr).toMatchObject({ code: 0 });
  const [tarball] = (await readdir(folder)).filter((name) => name.endsWith(".tgz"));
  await writeFile(join(folder, "package.json"), '{ "private": true }\n');
  const options = ["install", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel", "error"];
  const installed = await there("npm", [...options, `./${tarball}`]);
  expect(installed, installed.stderr).toMatchObject({ code: 0 });
}, 200_000);
afterAll(async () => rm(folder, { recursive: true, force: true }));

it("the packed package, installed elsewhere, has a command that says what it can do", async () => {
  const { code, stdout } = await there("npx", ["--no-install", "certfarm", "--help"]);
  expect(code).toBe(0);
  for (const verb of ["up", "status", "config", "certs", "bindings", "explain", "refusals", "drain"]) expect(stdout).toContain(verb);
});

it("and opens certificate files there, worker threads and all", async () => {
  const authority = await createTestAuthority();
  await writeFile(
    join(folder, "a.pfx"),
    await certificateFile(authority, { file: "a.pfx", names: ["a.example"], profile: "windows-2012", keyType: "rsa" }),
  );
  await writeFile(join(folder, "password.txt"), `${PFX_PASSWORD.reveal()}\n`);
  const { code, stdout, stderr } = await there("npx", [
    "--no-install",
    "certfarm",
    "certs",
    "check",
    "a.pfx",
    "--password-file",
    "password.txt",
    "--json",
  ]);
  expect(code, stderr).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject([{ status: "ok", facts: { leaf: { dnsNames: ["a.example"] } } }]);
});

it("and holds neither sources nor tests", async () => {
  const files = await readdir(join(folder, "node_modules/certfarm"), { recursive: true });
  expect(files.filter((file) => /\.test\.|(^|\/)testing\/|(^|\/)test\/|^src/.test(file))).toEqual([]);
  expect(files).toContain("dist/bin/main.js");
});
