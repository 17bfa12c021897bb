/**
 * One client in a process of its own, on all processors: `audit` looks around with certfarm's build, `bare` does as many handshakes with
 * tls.connect and nothing else. Prints what it took as JSON.
 *
 *   node bench/load/look.mjs audit|bare DIST HOSTS ROOTS.pem PORT …
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { connect, createSecureContext } from "node:tls";
import { pathToFileURL } from "node:url";

import { hostName } from "../lib/make-certificates.mjs";

/** As many at once as an audit has. */
const AT_ONCE = 64;

const [, , what, dist, hostCount, rootsFile, ...ports] = process.argv;
const hosts = Array.from({ length: Number(hostCount) }, (_, at) => hostName(at));
const roots = readFileSync(rootsFile, "utf8");

async function audit() {
  const [{ lookAround }, { systemClock }] = await Promise.all(
    ["probe", "base"].map((room) => import(pathToFileURL(join(dist, room, "index.js")).href)),
  );
  const nodes = ports.map((port, at) => ({
    name: `web${at + 1}`,
    role: "node",
    endpoints: [{ address: "127.0.0.1", port: Number(port) }],
  }));
  const plan = { nodes, hosts: hosts.map((name) => ({ name })), ca: [roots], perEndpoint: AT_ONCE / ports.length };
  const { cells, gaps } = await lookAround(plan, { clock: systemClock });
  const good = cells.filter(({ probes }) => probes.sni?.outcome.kind === "served" && probes.sni.outcome.verified === true).length;
  return { good, gaps: gaps.map(({ why }) => why) };
}

/** The leanest that tls.connect does by itself: verified, and ended in order. */
async function bare() {
  const secureContext = createSecureContext({ ca: roots });
  const total = hosts.length * ports.length;
  let [next, good] = [0, 0];
  /** Resolves with whether there was one left. */
  const one = () =>
    new Promise((resolve) => {
      const at = next++;
      if (at >= total) return resolve(false);
      const socket = connect(
        {
          host: "127.0.0.1",
          port: Number(ports[at % ports.length]),
          servername: hosts[Math.floor(at / ports.length)],
          ALPNProtocols: ["h2", "http/1.1"],
          secureContext,
        },
        () => {
          good += 1;
          socket.end();
        },
      );
      socket.resume();
      socket.once("error", () => undefined);
      socket.once("close", () => resolve(true));
    });
  const lane = async () => {
    while (await one());
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return { good, gaps: [] };
}

const started = performance.now();
const result = await (what === "audit" ? audit() : bare());
const { user, system } = process.cpuUsage();
const seconds = (performance.now() - started) / 1_000;
console.log(JSON.stringify({ ...result, seconds, cpuMicros: user + system, rssMegabytes: process.resourceUsage().maxRSS / 1_024 }));
