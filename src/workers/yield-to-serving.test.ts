import { readFileSync, readdirSync } from "node:fs";
import { Worker } from "node:worker_threads";

import { expect, test } from "vitest";

import { compiledEntry } from "./run-once.ts";

/** Niceness of every thread of this process (proc(5): the 19th field of stat). */
function niceness(): readonly number[] {
  return readdirSync("/proc/self/task").map((thread) => {
    const stat = readFileSync(`/proc/self/task/${thread}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[16]);
  });
}

test("one thread yields, the others keep their priority", async () => {
  const low = (): number => niceness().filter((nice) => nice === 10).length;
  const before = low();
  const compiled = compiledEntry(import.meta.url, "yield-to-serving").href;
  const body = `import(${JSON.stringify(compiled)}).then(({ yieldToServing }) => {
    yieldToServing();
    require("node:worker_threads").parentPort.postMessage("yielded");
    setInterval(() => {}, 1000);
  });`;
  const worker = new Worker(body, { eval: true });
  try {
    await new Promise((resolve, reject) => worker.once("message", resolve).once("error", reject));
    expect(low() - before).toBe(1);
  } finally {
    await worker.terminate();
  }
});
