/** Server CPU of a warm full TLS 1.3 handshake (X25519, ECDSA P-256) and one request, against nginx with static certificates. */
import { join } from "node:path";

import { makeFarm, startServing } from "../lib/farm.mjs";
import { hostName } from "../lib/make-certificates.mjs";
import { startStaticNginx } from "../lib/peers.mjs";
import { compareHandshakes, firstHandshake } from "../lib/tls.mjs";

const NAMES = 50;
/** Times nginx, by major version of Node. */
const BARS = { 20: 2, 24: 1.75 };

export const nodes = ["20", "24"];

export async function run(bench) {
  const servers = await startServers(bench);
  try {
    const [nginx, ...own] = await compareHandshakes(servers, {
      rounds: bench.quick ? 3 : 9,
      names: NAMES,
      count: bench.quick ? 1_000 : 3_000,
    });
    bench.report({ what: "nginx, static certificates", figure: nginx.micros, unit: "µs CPU" });
    for (const { name, ratio, micros, spread } of own) {
      const major = /Node (\d+)/.exec(name)?.[1];
      bench.report({ what: name, figure: ratio, unit: "× nginx", bar: BARS[major], note: `${micros} µs; rounds ${spread}` });
    }
  } finally {
    for (const server of servers) await server.stop();
  }
}

/** nginx first, then a certfarm node for each Node, all with the same files. */
export async function startServers(bench) {
  const farm = await makeFarm(bench, { nodes: bench.nodes.map((_, at) => `web${at + 1}`), sets: [{ format: "pem", count: NAMES }] });
  const nginx = await startStaticNginx(bench, join(farm.store, "certificates"), NAMES);
  await firstHandshake(nginx, hostName(0), { limitMs: 30_000 });
  const own = [];
  for (const [at, node] of bench.nodes.entries()) own.push(await startServing(farm, node, { name: `web${at + 1}` }));
  return [nginx, ...own];
}
