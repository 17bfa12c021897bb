/** A known fault is put into one node of a running farm: how soon the balancer leaves it out, the doctor names it, and repair mends it. */
import { spawn } from "node:child_process";
import { join } from "node:path";

import { freePorts, sleep, start } from "../lib/processes.mjs";
import { quantile, round } from "../lib/statistics.mjs";

/** Drills that the balancer has to notice and that `repair` can mend. */
const DRILLS = ["central-row-missing", "ip-row-shadows", "chain-incomplete", "plain-http-on-tls-port"];
const START_MS = 120_000;
const NAMED_MS = 30_000;

export const nodes = ["20"];

export async function run(bench) {
  const [node] = bench.nodes;
  const root = join(bench.folder("drills"), "demo-farm");
  const main = join(bench.dist, "bin/main.js");
  const [base] = (await freePorts(1)).map((port) => 20_000 + (port % 20) * 1_000);
  const folder = bench.folder("drills-log");
  const both = { cpu: "0,1", env: { NO_COLOR: "1" } };
  const farm = start(node.path, [main, "up", "--allow-drills", "--port", String(base), "--demo-root", root], {
    ...both,
    logFile: join(folder, "farm.log"),
  });
  const certfarm = (...args) => command(node.path, [main, ...args, "--farm", root, "--json"]);
  try {
    await until(async () => (await certfarm("doctor")).code === 0, START_MS, "the farm is not healthy");
    const watching = start(node.path, [main, "doctor", "--watch", "1", "--farm", root], { ...both, logFile: join(folder, "watch.log") });
    const scores = [];
    try {
      for (const drill of DRILLS.flatMap((name) => Array.from({ length: bench.quick ? 1 : 3 }, () => name)))
        scores.push(await oneDrill(certfarm, drill));
    } finally {
      await watching.stop();
    }
    const worst = (name) =>
      round(
        quantile(
          scores.map((score) => score[name]),
          1,
        ) / 1_000,
        2,
      );
    const what = `${scores.length} drills`;
    bench.report({
      what: `drill started to node out of the balancer's choice, worst of ${what}`,
      figure: worst("noticedMs"),
      unit: "s",
      bar: 2,
    });
    bench.report({ what: `drill started to named by doctor --watch, worst of ${what}`, figure: worst("namedMs"), unit: "s", bar: 5 });
    bench.report({ what: `repair, done and proved, one node, worst of ${what}`, figure: worst("repairMs"), unit: "s", bar: 10 });
  } finally {
    await farm.stop();
  }
}

/** Starts a drill, waits until it was named, repairs, and gives the score with the time that repair took. */
async function oneDrill(certfarm, drill) {
  const started = await certfarm("drill", "start", drill);
  if (started.code !== 0) throw new Error(`${drill} is not started: ${started.stdout.slice(-2_000)}`);
  const score = async () => JSON.parse((await certfarm("drill", "score")).stdout)[0] ?? {};
  await until(async () => (await score()).namedMs !== undefined, NAMED_MS, `${drill} is not named`);
  const began = performance.now();
  const { code, stdout } = await certfarm("repair", "--yes");
  const repairMs = performance.now() - began;
  if (code !== 0) throw new Error(`${drill} is not mended: ${stdout.slice(-2_000)}`);
  await until(async () => (await certfarm("doctor")).code === 0, NAMED_MS, `the farm is not healthy after ${drill}`);
  return { ...(await score()), repairMs };
}

function command(program, args) {
  return new Promise((resolve) => {
    const child = spawn("taskset", ["-c", "0,1", program, ...args], { stdio: ["ignore", "pipe", "ignore"] });
    let stdout = "";
    child.stdout.on("data", (chunk) => (stdout += chunk));
    child.once("close", (code) => resolve({ code, stdout }));
  });
}

async function until(fits, withinMs, otherwise) {
  const deadline = performance.now() + withinMs;
  while (!(await fits())) {
    if (performance.now() > deadline) throw new Error(otherwise);
    await sleep(200);
  }
}
