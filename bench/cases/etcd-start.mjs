/** A node over three members of etcd: its start with 100,000 certificates in the store, and what it asks of etcd at rest. */
import { makeEtcdFarm, startServing } from "../lib/etcd-farm.mjs";
import { hostName } from "../lib/make-certificates.mjs";
import { rssMegabytes, sleep } from "../lib/processes.mjs";
import { median, round } from "../lib/statistics.mjs";
import { firstHandshake } from "../lib/tls.mjs";

export const nodes = ["20"];

const REAL = 50;

export async function run(bench) {
  const names = bench.quick ? 20_000 : 100_000;
  const farm = await makeEtcdFarm(bench, { count: REAL, names: names - REAL });
  try {
    for (const node of bench.nodes) await measureStarts(bench, { farm, node, names });
    await measureRest(bench, farm, bench.nodes[0]);
  } finally {
    await farm.stop();
  }
}

async function measureStarts(bench, { farm, node, names }) {
  const starts = [];
  for (let at = 0; at < (bench.quick ? 3 : 7); at += 1) {
    const began = performance.now();
    const server = farm.startNode(node);
    starts.push({ ms: await firstHandshake(server, hostName(at), { started: began }), mb: rssMegabytes(server.pids()) });
    await server.stop();
  }
  const what = `${names.toLocaleString("en")} certificates in etcd ×3, Node ${node.label}`;
  const figure = round(median(starts.map(({ ms }) => ms)), 0);
  bench.report({ what: `start to first handshake, ${what}`, figure, unit: "ms", bar: 1_500 });
  bench.report({ what: `memory then, ${what}`, figure: round(median(starts.map(({ mb }) => mb)), 0), unit: "MB", bar: 120 });
  const server = farm.startNode(node);
  await firstHandshake(server, hostName(0));
  await sleep(5_000);
  bench.report({ what: `memory when all names are known, ${what}`, figure: round(rssMegabytes(server.pids()), 0), unit: "MB", bar: 120 });
  await server.stop();
}

/** Counted by etcd itself, of all members together, while one node runs whose names were all looked through. */
async function measureRest(bench, farm, node) {
  const rest = await makeEtcdFarm(bench, { count: REAL });
  const server = await startServing(rest, node, hostName(0));
  try {
    await sleep(bench.quick ? 15_000 : 30_000);
    const counts = async () => ({
      requests: await rest.etcd.counter("grpc_server_started_total"),
      bytes:
        (await rest.etcd.counter("etcd_network_client_grpc_received_bytes_total")) +
        (await rest.etcd.counter("etcd_network_client_grpc_sent_bytes_total")),
    });
    const before = await counts();
    const seconds = bench.quick ? 30 : 120;
    await sleep(seconds * 1_000);
    const after = await counts();
    bench.report({
      what: "requests of a node at rest",
      figure: round((after.requests - before.requests) / seconds, 2),
      unit: "/s",
      bar: 1,
    });
    bench.report({ what: "octets of them, both ways", figure: round((after.bytes - before.bytes) / seconds, 0), unit: "B/s", bar: 2_000 });
  } finally {
    await server.stop();
    await rest.stop();
  }
}
