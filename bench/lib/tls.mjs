import { connect } from "node:tls";

import { median, round } from "./statistics.mjs";
import { run, CLIENT_CPU } from "./processes.mjs";
import { fileURLToPath } from "node:url";

const TLSLOAD = fileURLToPath(new URL("../bin/tlsload", import.meta.url));

/** One handshake: the leaf's common name, or undefined when there was none. */
export function handshake(port, servername, options = {}) {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port, servername, rejectUnauthorized: false, ...options }, () => {
      resolve({ name: socket.getPeerCertificate().subject?.CN, thumbprint: socket.getPeerCertificate().fingerprint, resumed: socket.isSessionReused() });
      socket.destroy();
    });
    socket.once("error", () => resolve(undefined));
    socket.setTimeout(5_000, () => socket.destroy(new Error("time-out")));
  });
}

/** Milliseconds until a port serves a name. */
export async function firstHandshake(port, servername, limitMs = 240_000) {
  const started = performance.now();
  while (performance.now() - started < limitMs) {
    if ((await handshake(port, servername))?.name !== undefined) return performance.now() - started;
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
  throw new Error(`port ${port} served nothing within ${limitMs} ms`);
}

/** Handshakes and one request each by the C client; checks every leaf against its SNI. */
export async function load(server, { count = 2_000, concurrency = 8, names = 50, offset = 0, resume = false, seconds = 60 } = {}) {
  const pids = server.pids().join(",");
  const args = ["-p", server.port, "-n", count, "-c", concurrency, "-N", names, "-o", offset, "-t", seconds, "-P", pids, ...(resume ? ["-r"] : [])];
  const result = JSON.parse(await run(TLSLOAD, args.map(String), { cpu: CLIENT_CPU }));
  if (result.err > 0 || result.bad > 0) throw new Error(`${server.name}: ${result.err} failed and ${result.bad} wrong handshakes`);
  return result;
}

/** Server CPU a handshake of each server, in alternating rounds, as a ratio to the first: machine noise hits all alike. */
export async function compare(servers, options, rounds = 7) {
  const seen = new Map(servers.map((server) => [server.name, []]));
  for (const server of servers) await load(server, { ...options, count: 1_000 }); // warms caches and compilers
  for (let at = 0; at < rounds; at += 1) for (const server of servers) seen.get(server.name).push(await load(server, options));
  const base = seen.get(servers[0].name);
  return servers.map(({ name }) => {
    const results = seen.get(name);
    const ratios = results.map((result, at) => result.srv_us / base[at].srv_us);
    return {
      name,
      micros: round(median(results.map((result) => result.srv_us)), 0),
      ratio: round(median(ratios)),
      from: round(Math.min(...ratios)),
      to: round(Math.max(...ratios)),
      resumed: results.reduce((sum, result) => sum + result.reused, 0),
      handshakes: results.reduce((sum, result) => sum + result.ok, 0),
      p99: round(median(results.map((result) => result.p99)), 1),
    };
  });
}
