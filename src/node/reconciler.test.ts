import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { createLog, instant } from "../base/index.ts";
import { createLastGood } from "../replica/index.ts";
import { createReconciler, type Reconciler, type ReconcilerParts } from "./reconciler.ts";
import { createTableFile } from "./table-file.ts";
import { testYaml } from "./testing/test-node.ts";

const SITES = `  - name: www
    bindings: [https://www.example.test]
    redirect: https://elsewhere.example.test/`;
const yaml = testYaml({ sites: SITES, nodes: [{ name: "web1", https: 8_443, health: 8_444 }] });
const revision = { number: 1, digest: "d1", yaml, by: "test", at: instant(0) } as never;

let dir: string;
let lines: { readonly level: string; readonly message: string }[];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "certfarm-reconciler-"));
  lines = [];
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const start = (applied: ReconcilerParts["applied"] = () => Promise.resolve()): Promise<Reconciler> => {
  const dataDir = join(dir, "web1");
  const log = createLog({ write: (line) => void lines.push(JSON.parse(line) as (typeof lines)[0]), now: () => 0 });
  return createReconciler({ node: "web1", log, tableFile: createTableFile(dataDir), lastGood: createLastGood({ dataDir }), applied });
};
const errors = (): readonly string[] => lines.filter(({ level }) => level === "error").map(({ message }) => message);

test("a disk that cannot be written is told once and reported, what is served is not held up, and a later pass writes it", async () => {
  await rm(dir, { recursive: true });
  await writeFile(dir, "a file where the folder should be");
  const reconciler = await start().catch(async (error: unknown) => {
    expect(error).toMatchObject({ code: "NODE_DISK" }); // it cannot even be looked at
    await rm(dir);
    const begun = await start();
    await writeFile(dir, "");
    return begun;
  });
  reconciler.offer(revision);
  await reconciler.reconcile();
  await reconciler.reconcile();
  expect(reconciler.state).toMatchObject({
    applied: { revision: { number: 1 } },
    problem: expect.stringContaining("disk cannot be written"),
  });
  expect(reconciler.state.table.rows).toHaveLength(1);
  expect(errors()).toEqual(["the node's disk cannot be written", "the node's disk cannot be written"]); // table and configuration
  await rm(dir);
  await reconciler.reconcile();
  expect(reconciler.state.problem).toBeUndefined();
  expect((await stat(join(dir, "web1", "bindings.json"))).mode & 0o777).toBe(0o600);
  expect((await stat(join(dir, "web1"))).mode & 0o777).toBe(0o700);
  expect((await createLastGood({ dataDir: join(dir, "web1") }).load()).kind).not.toBe("none");
});

test("what fails at every pass is told once, and again after it went well", async () => {
  let fails = true;
  const reconciler = await start(() => (fails ? Promise.reject(new Error("port taken")) : Promise.resolve()));
  reconciler.offer(revision);
  for (let pass = 0; pass < 3; pass += 1) await reconciler.reconcile();
  expect(errors()).toEqual(["reconcile failed"]);
  expect(reconciler.state.problem).toContain("INTERNAL");
  fails = false;
  await reconciler.reconcile();
  expect(reconciler.state.problem).toBeUndefined();
  fails = true;
  await reconciler.reconcile();
  expect(errors()).toEqual(["reconcile failed", "reconcile failed"]);
});
