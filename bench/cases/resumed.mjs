/** Server CPU of a resumed TLS 1.3 handshake and one request, against nginx. */
import { compareHandshakes } from "../lib/tls.mjs";
import { startServers } from "./handshake.mjs";

const BARS = { 24: 2.5 };

export const nodes = ["24"];

export async function run(bench) {
  const servers = await startServers(bench);
  try {
    const options = { rounds: bench.quick ? 3 : 9, names: 8, count: bench.quick ? 1_000 : 3_000, resume: true };
    const [nginx, ...own] = await compareHandshakes(servers, options);
    bench.report({ what: "nginx", figure: nginx.micros, unit: "µs CPU", note: `${nginx.resumed} of ${nginx.handshakes} resumed` });
    for (const { name, ratio, micros, spread, resumed, handshakes } of own) {
      const major = /Node (\d+)/.exec(name)?.[1];
      const note = `${micros} µs; rounds ${spread}; ${resumed} of ${handshakes} resumed`;
      bench.report({ what: name, figure: ratio, unit: "× nginx", bar: BARS[major], note });
    }
  } finally {
    for (const server of servers) await server.stop();
  }
}
