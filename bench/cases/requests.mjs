/** Kept connections over TLS: server CPU of a request for a small file, against Caddy serving the same file. */
import { join } from "node:path";

import { makeFarm, startServing } from "../lib/farm.mjs";
import { hostName } from "../lib/make-certificates.mjs";
import { startCaddy } from "../lib/peers.mjs";
import { cpuMicros, run as runCommand } from "../lib/processes.mjs";
import { median, round } from "../lib/statistics.mjs";
import { firstHandshake } from "../lib/tls.mjs";

const PROTOCOLS = [
  { name: "HTTP/1.1", args: ["--h1", "-m", "1"] },
  { name: "HTTP/2", args: ["-m", "8"] },
];
const CONNECTIONS = 32;

export const nodes = ["20", "24"];

export async function run(bench) {
  const farm = await makeFarm(bench, { nodes: bench.nodes.map((_, at) => `web${at + 1}`), sets: [{ format: "pem", count: 1 }] });
  const files = [{ handler: "file_server", root: join(farm.store, "content/www"), index_names: ["index.html"] }];
  const caddy = await startCaddy(bench, { load_folders: [join(farm.store, "certificates")] }, files);
  const servers = [caddy];
  try {
    await firstHandshake(caddy, hostName(0), { limitMs: 30_000 });
    for (const [at, node] of bench.nodes.entries()) servers.push(await startServing(farm, node, { name: `web${at + 1}` }));
    for (const protocol of PROTOCOLS) await compare(bench, servers, protocol);
  } finally {
    for (const server of servers) await server.stop();
  }
}

async function compare(bench, servers, protocol) {
  const count = bench.quick ? 5_000 : 40_000;
  for (const server of servers) await requests(server, protocol, count / 2); // compiles the hot paths
  const rounds = [];
  for (let at = 0; at < (bench.quick ? 3 : 9); at += 1) {
    const one = [];
    for (const server of servers) one.push(await requests(server, protocol, count));
    rounds.push(one);
  }
  const micros = (at) => round(median(rounds.map((one) => one[at].cpu)), 1);
  const rate = (at) => round(median(rounds.map((one) => one[at].rate)), 0).toLocaleString("en");
  bench.report({ what: `${protocol.name}, Caddy`, figure: micros(0), unit: "µs CPU", note: `${rate(0)} a second` });
  for (const [at, { name }] of servers.entries()) {
    if (at === 0) continue;
    const ratios = rounds.map((one) => one[at].cpu / one[0].cpu);
    const note = `${micros(at)} µs; ${rate(at)} a second; rounds ${round(Math.min(...ratios))} to ${round(Math.max(...ratios))}`;
    bench.report({ what: `${protocol.name}, ${name}`, figure: round(median(ratios)), unit: "× Caddy", bar: 1, note });
  }
}

async function requests(server, protocol, count) {
  const before = cpuMicros(server.pids());
  const url = `https://${hostName(0)}:${server.port}/`;
  const args = ["-n", String(count), "-c", String(CONNECTIONS), "-t", "1", ...protocol.args, `--connect-to=127.0.0.1:${server.port}`, url];
  const text = await runCommand("h2load", args);
  const cpu = (cpuMicros(server.pids()) - before) / count;
  if (!text.includes(`status codes: ${count} 2xx`)) throw new Error(`${server.name}: not every answer was 200\n${text.slice(-800)}`);
  return { cpu, rate: Number(/finished in .*?, ([\d.]+) req\/s/.exec(text)?.[1]) };
}
