/** A storm of names that were never seen, in PFX files, beside warm clients: what it does to the warm clients' waiting times. */
import { makeFarm, startServing } from "../lib/farm.mjs";
import { median, round } from "../lib/statistics.mjs";
import { load } from "../lib/tls.mjs";

const WARM = 50;
/** Each warm client opens a new connection this long after its last: together about 200 a second, a quarter of one processor. */
const THINK_MS = 250;
const STORM_CLIENTS = 32;
const QUIET_S = 5;

export const nodes = ["20", "24"];

export async function run(bench) {
  const cold = bench.quick ? 400 : 2_000;
  const rounds = bench.quick ? 1 : 5;
  for (const node of bench.nodes) {
    const farm = await makeFarm(bench, {
      sets: [
        { format: "pem", count: WARM },
        { format: "pfx", count: cold * rounds },
      ],
    });
    const server = await startServing(farm, node);
    const warm = (options) => load(server, { count: 1_000_000, concurrency: WARM, names: WARM, thinkMs: THINK_MS, ...options });
    const measured = [];
    try {
      await load(server, { count: 2_000, names: WARM });
      for (let at = 0; at < rounds; at += 1) measured.push(await measureRound({ server, warm, cold, offset: WARM + at * cold }));
    } finally {
      await server.stop();
    }
    const part = (name) => median(measured.map((one) => one[name]));
    const note = `p99 ${round(part("quiet"))} ms quiet, ${round(part("stormy"))} ms beside ${cold.toLocaleString("en")} new names in ${round(part("seconds"), 1)} s`;
    bench.report({ what: `p99 of ${WARM} warm clients, Node ${node.label}`, figure: round(part("ratio")), unit: "× quiet", bar: 2, note });
  }
}

/** Warm clients alone, then beside the storm for as long as it lasts. */
async function measureRound({ server, warm, cold, offset }) {
  const quiet = await warm({ seconds: QUIET_S });
  const began = performance.now();
  const over = new AbortController();
  const beside = warm({ until: over.signal });
  await load(server, { count: cold, names: cold, offset, concurrency: STORM_CLIENTS });
  over.abort();
  const stormy = await beside;
  const seconds = (performance.now() - began) / 1_000;
  return { quiet: quiet.p99, stormy: stormy.p99, ratio: stormy.p99 / quiet.p99, quietAnswer: quiet.a99, stormyAnswer: stormy.a99, seconds };
}
