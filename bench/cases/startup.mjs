/** Start and memory with a large certificate store: nothing is loaded that no one asked for. */
import { linkSync } from "node:fs";
import { join } from "node:path";

import { makeFarm } from "../lib/farm.mjs";
import { hostName } from "../lib/make-certificates.mjs";
import { startCaddy, startTlsHaproxy } from "../lib/peers.mjs";
import { rssMegabytes, sleep } from "../lib/processes.mjs";
import { median, round } from "../lib/statistics.mjs";
import { firstHandshake, load } from "../lib/tls.mjs";

/** Files of the eager peers: with all of them HAProxy takes minutes and gigabytes. */
const PEER_FILES = 10_000;

export const nodes = ["20"];

export async function run(bench) {
  const files = bench.quick ? 20_000 : 100_000;
  const asked = bench.quick ? 4_000 : 10_000;
  const farm = await makeFarm(bench, { sets: [{ format: "pem", count: files }] });
  for (const node of bench.nodes) {
    const starts = [];
    for (let at = 0; at < (bench.quick ? 3 : 7); at += 1) {
      const began = performance.now();
      const server = farm.startNode(node);
      starts.push({ ms: await firstHandshake(server, hostName(files - 1), { started: began }), mb: rssMegabytes(server.pids()) });
      await server.stop();
    }
    const what = `${files.toLocaleString("en")} files, Node ${node.label}`;
    bench.report({
      what: `start to first handshake, ${what}`,
      figure: round(median(starts.map(({ ms }) => ms)), 0),
      unit: "ms",
      bar: 1_000,
    });
    bench.report({ what: `memory then, ${what}`, figure: round(median(starts.map(({ mb }) => mb)), 0), unit: "MB", bar: 90 });
    await measureUse(bench, { farm, node, files, asked });
  }
  await measurePeers(bench, join(farm.store, "certificates"));
}

/** Memory of a node that is asked for many names, and of one that is left alone while it looks at its folder. */
async function measureUse(bench, { farm, node, files, asked }) {
  const server = farm.startNode(node);
  await firstHandshake(server, hostName(files - 1));
  await sleep(bench.quick ? 3_000 : 10_000);
  bench.report({ what: `memory some seconds later, Node ${node.label}`, figure: round(rssMegabytes(server.pids()), 0), unit: "MB" });
  await load(server, { count: asked, names: asked, concurrency: 8, seconds: 300 });
  const what = `memory after ${asked.toLocaleString("en")} different names, 2,000 kept, Node ${node.label}`;
  bench.report({ what, figure: round(rssMegabytes(server.pids()), 0), unit: "MB", bar: 200 });
  await server.stop();
}

async function measurePeers(bench, certificates) {
  const count = bench.quick ? 2_000 : PEER_FILES;
  const folder = bench.folder("some");
  for (let at = 0; at < count; at += 1) linkSync(join(certificates, `${hostName(at)}.pem`), join(folder, `${hostName(at)}.pem`));
  const answer = [{ handler: "static_response", body: "hello world" }];
  for (const start of [() => startTlsHaproxy(bench, folder), () => startCaddy(bench, { load_folders: [folder] }, answer)]) {
    const began = performance.now();
    const server = await start();
    const ms = await firstHandshake(server, hostName(count - 1), { started: began });
    const what = `${server.name} with ${count.toLocaleString("en")} files`;
    bench.report({ what: `start to first handshake, ${what}`, figure: round(ms, 0), unit: "ms" });
    bench.report({ what: `memory then, ${what}`, figure: round(rssMegabytes(server.pids()), 0), unit: "MB" });
    await server.stop();
  }
}
