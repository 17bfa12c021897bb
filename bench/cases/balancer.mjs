/** The balancer against HAProxy in TCP mode, both on one processor in front of the same nginx on the other. */
import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { applyConfig } from "../lib/farm.mjs";
import { hostName, writeCertificates } from "../lib/make-certificates.mjs";
import { startNginx, startTcpHaproxy } from "../lib/peers.mjs";
import { CLIENT_CPU, cpuMicros, freePorts, run as runCommand, sleep, start } from "../lib/processes.mjs";
import { median, round } from "../lib/statistics.mjs";
import { firstHandshake, load } from "../lib/tls.mjs";

const GIB = 2 ** 30;

export const nodes = ["24"];

export async function run(bench) {
  const backend = await startBackend(bench);
  const [node] = bench.nodes;
  const servers = [await startPeer(bench, backend), await startBalancer(bench, backend, node)];
  try {
    for (const { tls } of servers) await firstHandshake(tls, hostName(0), { limitMs: 30_000 });
    for (const server of servers) await connections(server, 2_000); // compiles the hot paths
    const connectionsEach = bench.quick ? 2_000 : 5_000;
    const results = { connection: [], tls: [], bulk: [] };
    for (let at = 0; at < (bench.quick ? 3 : 9); at += 1) {
      results.connection.push(await inTurn(servers, (server) => connections(server, connectionsEach)));
      results.tls.push(await inTurn(servers, (server) => tlsConnections(server, connectionsEach / 4)));
      results.bulk.push(await inTurn(servers, bulk));
    }
    report(bench, results, node);
  } finally {
    for (const server of [...servers, backend]) await server.stop();
  }
}

const inTurn = async (servers, measure) => {
  const [peer, own] = [await measure(servers[0]), await measure(servers[1])];
  return { peer, own, ratio: own.cpu / peer.cpu };
};

function report(bench, results, node) {
  const row = (name, what, unit, bar) => {
    const rounds = results[name];
    const part = (side, key) => median(rounds.map((one) => one[side][key]));
    const ratios = rounds.map(({ ratio }) => ratio);
    const rate = (side) => round(part(side, "rate"), name === "bulk" ? 2 : 0).toLocaleString("en");
    const note = `CPU ${round(part("own", "cpu"), 0)} against ${round(part("peer", "cpu"), 0)} ${unit}; ${rate("own")} against ${rate("peer")} a second; rounds ${round(Math.min(...ratios))} to ${round(Math.max(...ratios))}`;
    bench.report({ what: `${what}, Node ${node.label}`, figure: round(median(ratios)), unit: "× HAProxy", bar, note });
  };
  row("connection", "CPU of a new connection", "µs", 2);
  row("tls", "CPU of a new connection whose ClientHello is read", "µs", 2);
  row("bulk", "CPU of a gigabyte", "ms", 1.2);
}

/** An nginx that stands for a node: plain and TLS port, and a health port that says yes to every name. */
async function startBackend(bench) {
  const [plain, tls, health] = await freePorts(3);
  const folder = bench.folder("backend");
  writeCertificates(folder, { count: 1, format: "pem" });
  writeFileSync(join(folder, "big"), "");
  truncateSync(join(folder, "big"), GIB);
  const file = join(folder, `${hostName(0)}.pem`);
  const http = `sendfile on;
server { listen 127.0.0.1:${plain}; root ${folder}; location = /small { return 200 "hello world"; } }
server { listen 127.0.0.1:${tls} ssl; ssl_certificate ${file}; ssl_certificate_key ${file}; location / { return 200 "hello world"; } }
server { listen 127.0.0.1:${health}; location = /readyz { return 200 "{}"; } location / { return 404; } }`;
  return { ...(await startNginx(bench, http, { cpu: CLIENT_CPU, name: "backend", port: plain })), plain, tls, health };
}

async function startPeer(bench, backend) {
  const [plain, tls] = await freePorts(2);
  const server = await startTcpHaproxy(bench, [
    { port: plain, target: backend.plain },
    { port: tls, target: backend.tls },
  ]);
  return { ...server, plain, tls: { ...server, port: tls } };
}

async function startBalancer(bench, backend, node) {
  const [plain, tls, health] = await freePorts(3);
  const folder = bench.folder("balanced");
  await applyConfig(
    bench,
    join(folder, "store"),
    `farm: bench
nodes:
  - { name: web1, address: 127.0.0.1, ports: { 443: ${backend.tls}, 80: ${backend.plain} }, health: "127.0.0.1:${backend.health}" }
balancer: { address: 127.0.0.1, ports: { 443: ${tls}, 80: ${plain} }, proxyProtocol: false, health: "127.0.0.1:${health}" }
sites:
  - name: any
    bindings: ["https://*", "http://*"]
    content: www
`,
  );
  const args = [join(bench.dist, "bin/main.js"), "balancer", "--store", join(folder, "store"), "--data", join(folder, "data")];
  const server = start(node.path, args, { env: { CERTFARM_LOG: "error" }, logFile: join(folder, "balancer.log") });
  const name = "certfarm's balancer";
  return { ...server, name, plain, tls: { ...server, name, port: tls } };
}

async function connections(server, count) {
  const before = cpuMicros(server.pids());
  const text = await runCommand("ab", ["-q", "-n", String(count), "-c", "32", `http://127.0.0.1:${server.plain}/small`]);
  const cpu = (cpuMicros(server.pids()) - before) / count;
  if (!/Failed requests:\s+0\n/.test(text)) throw new Error(`${server.name}: failed connections\n${text}`);
  return { cpu, rate: Number(/Requests per second:\s+([\d.]+)/.exec(text)?.[1]) };
}

async function tlsConnections({ tls }, count) {
  const { srv_us: cpu, rate } = await load(tls, { count, names: 1, concurrency: 16 });
  return { cpu, rate };
}

/** Milliseconds of CPU and seconds for a gigabyte. */
async function bulk(server) {
  const before = cpuMicros(server.pids());
  const began = performance.now();
  await runCommand("curl", ["-sf", "-o", "/dev/null", `http://127.0.0.1:${server.plain}/big`]);
  const gigabytes = GIB / 1e9;
  const seconds = (performance.now() - began) / 1_000;
  await sleep(50);
  return { cpu: (cpuMicros(server.pids()) - before) / 1_000 / gigabytes, rate: gigabytes / seconds };
}
