import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { openLogFile } from "./log-file.ts";

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "certfarm-log-"));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

test("a log keeps its last part and the one before, and goes on where an earlier process stopped", async () => {
  const path = join(dir, "web1.log");
  const failures: string[] = [];
  const size = async (of: string): Promise<number> => (await stat(of).catch(() => ({ size: 0 }))).size;
  for (let process = 0; process < 3; process += 1) {
    const log = openLogFile(path, (problem) => failures.push(problem), 1_000);
    for (let line = 0; line < 10; line += 1) {
      const before = (await size(path)) + (await size(`${path}.1`));
      log.write(`process ${process} line ${line} ${"x".repeat(80)}\n`);
      await expect.poll(async () => (await size(path)) + (await size(`${path}.1`)) !== before, { interval: 1 }).toBe(true);
    }
    log.end();
  }
  expect(failures).toEqual([]);
  expect(await size(path)).toBeLessThanOrEqual(1_200);
  expect(await size(`${path}.1`)).toBeLessThanOrEqual(1_200);
  const kept = (await readFile(`${path}.1`, "utf8")) + (await readFile(path, "utf8"));
  expect(kept.endsWith("\n")).toBe(true);
  expect(kept).toContain("process 2 line 9");
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

test("a log that cannot be opened is told, and nothing is thrown", async () => {
  const problem = await new Promise<string>((resolve) => {
    const log = openLogFile(join(dir, "missing", "web1.log"), resolve);
    log.write("lost\n");
    log.end();
  });
  expect(problem).toContain("ENOENT");
});
