import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterEach, beforeEach, expect, it } from "vitest";

import { instant } from "../base/index.ts";
import { createLastGood } from "./last-good.ts";
import { sha256 } from "./state-json.ts";
import { scratchDirectory } from "./testing/scratch.ts";
import type { Revision } from "./types.ts";

const revision = (number: number): Revision => ({
  number,
  yaml: `a: ${number}\n`,
  digest: sha256(`a: ${number}\n`),
  at: instant(1),
  by: "ann",
});
let scratch: Awaited<ReturnType<typeof scratchDirectory>>;
beforeEach(async () => {
  scratch = await scratchDirectory();
});
afterEach(() => scratch.remove());

it("is absent at first, then the one saved last, readable by the owner alone", async () => {
  const lastGood = createLastGood({ dataDir: scratch.path });
  expect(await lastGood.load()).toEqual({ kind: "absent" });
  await lastGood.save(revision(1));
  await lastGood.save(revision(2));
  expect(await createLastGood({ dataDir: scratch.path }).load()).toEqual({ kind: "found", revision: revision(2) });
  expect((await stat(join(scratch.path, "last-good.json"))).mode & 0o777).toBe(0o600);
  expect(await readdir(scratch.path)).toEqual(["last-good.json"]);
});

it("makes its directory when that is missing", async () => {
  const lastGood = createLastGood({ dataDir: join(scratch.path, "a/b") });
  await lastGood.save(revision(1));
  expect(await lastGood.load()).toMatchObject({ kind: "found" });
});

it.each([
  ["cut short", (text: string) => text.slice(0, -10)],
  ["changed in its text", (text: string) => text.replace("a: 1", "a: 7")],
  ["emptied", () => ""],
])("is damaged, not absent, when the file was %s", async (_name, damage) => {
  const lastGood = createLastGood({ dataDir: scratch.path });
  await lastGood.save(revision(1));
  const path = join(scratch.path, "last-good.json");
  await writeFile(path, damage(await readFile(path, "utf8")));
  expect(await lastGood.load()).toMatchObject({ kind: "damaged", problem: expect.stringContaining("last-good.json") });
});

it("stays what it was when the new one cannot be put in its place", async () => {
  const lastGood = createLastGood({ dataDir: scratch.path });
  const path = join(scratch.path, "last-good.json");
  await mkdir(join(path, "in-the-way"), { recursive: true });
  await expect(lastGood.save(revision(2))).rejects.toMatchObject({ code: "EISDIR" });
  expect(await readdir(scratch.path)).toEqual(["last-good.json"]);
});
