/** Handshakes: single ones from here, many by the C client (load/tlsload.c). */
import { connect } from "node:tls";
import { fileURLToPath } from "node:url";

import { CLIENT_CPU, run, sleep } from "./processes.mjs";
import { median, round } from "./statistics.mjs";

export const TLSLOAD = fileURLToPath(new URL("../bin/tlsload", import.meta.url));
const DEADLINE_MS = 5_000;

/** One handshake; undefined when there was none. */
export function handshake(port, servername, options = {}) {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port, servername, rejectUnauthorized: false, ...options }, () => {
      const { subject, fingerprint256 } = socket.getPeerCertificate();
      resolve({ name: subject?.CN, thumbprint: fingerprint256, resumed: socket.isSessionReused() });
      socket.destroy();
    });
    socket.once("error", () => resolve(undefined));
    socket.setTimeout(DEADLINE_MS, () => {
      socket.destroy();
      resolve(undefined);
    });
  });
}

/** Milliseconds since `started` (performance.now()) until a server serves a name. */
export async function firstHandshake(server, servername, { started = performance.now(), limitMs = 300_000 } = {}) {
  while (performance.now() - started < limitMs) {
    if ((await handshake(server.port, servername))?.name === servername) return performance.now() - started;
    if (server.failure?.() !== undefined) throw new Error(server.failure());
    await sleep(3);
  }
  throw new Error(`${server.name}: ${servername} was not served within ${limitMs} ms`);
}

/** Handshakes and one request each by the C client, which checks every leaf against its SNI. Failed and wrong ones are errors. */
export async function load(server, options = {}) {
  const result = await loadAnyway(server, options);
  if (result.err > 0 || result.bad > 0)
    throw new Error(`${server.name}: ${result.err} failed and ${result.bad} wrong handshakes (${result.e ?? ""})`);
  return result;
}

/** Like load, with failed and wrong handshakes counted in the result. */
export async function loadAnyway(
  server,
  { count = 2_000, concurrency = 8, names = 50, offset = 0, resume = false, thinkMs = 0, seconds = 120, until } = {},
) {
  const pids = server.pids().join(",");
  const args = ["-p", server.port, "-n", count, "-c", concurrency, "-N", names, "-o", offset, "-w", thinkMs, "-t", seconds, "-P", pids];
  return JSON.parse(
    await run(TLSLOAD, [...args, ...(resume ? ["-r"] : [])].map(String), { cpu: CLIENT_CPU, ...(until === undefined ? {} : { until }) }),
  );
}

/**
 * Server CPU a handshake of each server, in alternating rounds, as a ratio to the first server of the same round: whatever else the
 * machine does then hits all alike.
 */
export async function compareHandshakes(servers, { rounds, ...options }) {
  for (const server of servers) await load(server, { ...options, count: 1_500 }); // fills caches, compiles the hot paths
  const results = new Map(servers.map(({ name }) => [name, []]));
  for (let at = 0; at < rounds; at += 1) for (const server of servers) results.get(server.name).push(await load(server, options));
  const base = results.get(servers[0].name);
  return servers.map(({ name }) => {
    const own = results.get(name);
    const ratios = own.map((result, at) => result.srv_us / base[at].srv_us);
    return {
      name,
      micros: round(median(own.map((result) => result.srv_us)), 0),
      ratio: round(median(ratios)),
      spread: `${round(Math.min(...ratios))} to ${round(Math.max(...ratios))}`,
      resumed: own.reduce((sum, result) => sum + result.reused, 0),
      handshakes: own.reduce((sum, result) => sum + result.ok, 0),
    };
  });
}
