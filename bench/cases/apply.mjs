/** A configuration is applied: how soon four nodes over three members of etcd have proved it. */
import { makeEtcdFarm, startServing } from "../lib/etcd-farm.mjs";
import { hostName } from "../lib/make-certificates.mjs";
import { median, quantile, round } from "../lib/statistics.mjs";

export const nodes = ["20"];

const NAMES = 50;
const NODES = ["web1", "web2", "web3", "web4"];

export async function run(bench) {
  const [node] = bench.nodes;
  const farm = await makeEtcdFarm(bench, { nodes: NODES, count: NAMES });
  const servers = await Promise.all(NODES.map((name, at) => startServing(farm, node, hostName(0), { name, cpu: String(at % 2) })));
  try {
    const times = [];
    const count = bench.quick ? 10 : 50;
    for (let at = 0; at <= count; at += 1) {
      const began = performance.now();
      const revision = await farm.apply(farm.yaml({ maxLiveNames: 1_000 + at }));
      await untilProved(farm, revision);
      if (at > 0) times.push(performance.now() - began); // before the first one the nodes prove their start
    }
    const what = `configuration applied → proved by four nodes, etcd ×3, p99 of ${count}`;
    const note = `median ${round(median(times), 0)} ms`;
    bench.report({ what, figure: round(quantile(times, 0.99), 0), unit: "ms", bar: 2_000, note });
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
    await farm.stop();
  }
}

/** By the nodes' own reports, as `certfarm config apply --wait` looks at them. */
async function untilProved(farm, revision) {
  const over = AbortSignal.timeout(60_000);
  const reports = farm.replica.createReports(farm.store, farm.parts);
  const isProved = ({ report }) => report.revision === revision && report.proof.pending === 0 && report.proof.failed === 0;
  for await (const all of reports.watch(over)) if (all.filter(isProved).length === NODES.length) return;
  throw new Error(`not proved within a minute: revision ${revision}`);
}
