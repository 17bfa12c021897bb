/** A certificate file is replaced: how soon all four nodes serve it, and that nobody notices a thousand replacements. */
import { makeFarm, startServing } from "../lib/farm.mjs";
import { hostName } from "../lib/make-certificates.mjs";
import { CLIENT_CPU, sleep } from "../lib/processes.mjs";
import { median, quantile, round } from "../lib/statistics.mjs";
import { handshake, loadAnyway } from "../lib/tls.mjs";
import { X509Certificate } from "node:crypto";

const NODES = ["web1", "web2", "web3", "web4"];
const NAMES = 50;
const LIMIT_MS = 30_000;

export const nodes = ["20"];

export async function run(bench) {
  const [node] = bench.nodes;
  const farm = await makeFarm(bench, { nodes: NODES, sets: [{ format: "pem", count: NAMES }] });
  const servers = await Promise.all(NODES.map((name, at) => startServing(farm, node, { name, cpu: String(at % 2) })));
  try {
    await measureOne(bench, farm, servers, bench.quick ? 20 : 100);
    await replaceUnderLoad(bench, farm, servers, bench.quick ? 100 : 1_000);
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
}

const thumbprintOf = (pem) => new X509Certificate(pem).fingerprint256;

/** One file at a time: milliseconds from the replacement until the last node serves it. */
async function measureOne(bench, farm, servers, count) {
  const times = [];
  for (let at = 0; at < count; at += 1) {
    const index = at % NAMES;
    for (const server of servers) await handshake(server.port, hostName(index)); // in use everywhere
    const pem = farm.authority.pem(hostName(index), 10_000 + at);
    const began = performance.now();
    farm.replace(index, pem);
    await Promise.all(servers.map((server) => untilServed(server, hostName(index), thumbprintOf(pem))));
    times.push(performance.now() - began);
  }
  const what = `file replaced → served by four nodes, p99 of ${count}`;
  bench.report({ what, figure: round(quantile(times, 0.99), 0), unit: "ms", bar: 1_000, note: `median ${round(median(times), 0)} ms` });
}

async function untilServed(server, host, thumbprint) {
  const began = performance.now();
  while (performance.now() - began < LIMIT_MS) {
    if ((await handshake(server.port, host))?.thumbprint === thumbprint) return;
    await sleep(5);
  }
  throw new Error(`${server.node} did not serve the new certificate of ${host} within ${LIMIT_MS} ms`);
}

/** A hundred replacements a second while every node is under load. */
async function replaceUnderLoad(bench, farm, servers, count) {
  const over = new AbortController();
  const loads = servers.map((server) =>
    loadAnyway(server, { count: 10_000_000, concurrency: 4, names: NAMES, until: over.signal, seconds: 300, cpu: CLIENT_CPU }),
  );
  const newest = new Map();
  for (let at = 0; at < count; at += 1) {
    const index = at % NAMES;
    const pem = farm.authority.pem(hostName(index), 100_000 + at);
    farm.replace(index, pem);
    newest.set(hostName(index), thumbprintOf(pem));
    await sleep(10);
  }
  for (const [host, thumbprint] of newest) await Promise.all(servers.map((server) => untilServed(server, host, thumbprint)));
  over.abort();
  const results = await Promise.all(loads);
  const sum = (key) => results.reduce((total, result) => total + result[key], 0);
  const note = `${sum("ok").toLocaleString("en")} handshakes; at the end every node serves every newest file`;
  bench.report({
    what: `failed handshakes in ${count.toLocaleString("en")} replacements under load`,
    figure: sum("err"),
    unit: "",
    bar: 0,
    note,
  });
  bench.report({ what: "wrong certificates in the same time", figure: sum("bad"), unit: "", bar: 0 });
}
