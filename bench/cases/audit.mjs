/**
 * A look at every host on every node from outside, against the tools that one would put into a loop for it, and against the CPU that bare
 * handshakes of tls.connect cost. The nodes are four nginx with a certificate of its own for every host.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { hostName, writeCertificates } from "../lib/make-certificates.mjs";
import { startStaticNginx } from "../lib/peers.mjs";
import { run as runCommand } from "../lib/processes.mjs";
import { median, round } from "../lib/statistics.mjs";
import { firstHandshake } from "../lib/tls.mjs";

const LOOK = fileURLToPath(new URL("../load/look.mjs", import.meta.url));
const NODES = 4;
const BOTH = "0,1";

export const nodes = ["20"];

export async function run(bench) {
  const count = bench.quick ? 500 : 10_000;
  const certificates = bench.folder("certificates");
  const authority = writeCertificates(certificates, { count, format: "pem" });
  const roots = join(bench.folder("roots"), "roots.pem");
  writeFileSync(roots, authority.root());
  const servers = [];
  try {
    for (let at = 0; at < NODES; at += 1) servers.push(await startStaticNginx(bench, certificates, count, { cpu: BOTH }));
    for (const server of servers) await firstHandshake(server, hostName(count - 1));
    for (const node of bench.nodes) await measureLook(bench, { node, count, roots, servers });
  } finally {
    for (const server of servers) await server.stop();
  }
}

async function measureLook(bench, { node, count, roots, servers }) {
  const cells = count * NODES;
  const look = async (what) => {
    const args = [LOOK, what, bench.dist, String(count), roots, ...servers.map(({ port }) => String(port))];
    const result = JSON.parse(await runCommand(node.path, args, { cpu: BOTH }));
    if (result.good !== cells || result.gaps.length > 0)
      throw new Error(`${what}: ${result.good} of ${cells} good; ${result.gaps.join("; ")}`);
    return result;
  };
  await look("bare"); // fills the servers' caches
  const rounds = [];
  for (let at = 0; at < (bench.quick ? 2 : 3); at += 1) rounds.push({ bare: await look("bare"), audit: await look("audit") });
  const of = (what, figure) => median(rounds.map((round) => round[what][figure]));
  const named = `${NODES} nodes × ${count.toLocaleString("en")} hosts, Node ${node.label}`;
  bench.report({ what: `an audit of ${named}`, figure: round(of("audit", "seconds"), 1), unit: "s", bar: 60 });
  bench.report({ what: `memory at most, ${named}`, figure: round(of("audit", "rssMegabytes"), 0), unit: "MB", bar: 300 });
  bench.report({
    what: `bare tls.connect, Node ${node.label}`,
    figure: round(of("bare", "cpuMicros") / cells, 0),
    unit: "µs CPU a handshake",
  });
  bench.report({
    what: `CPU of an audit, Node ${node.label}`,
    figure: round(median(rounds.map(({ bare, audit }) => audit.cpuMicros / bare.cpuMicros))),
    unit: "× bare handshakes",
    bar: 1.3,
    note: `${round(of("audit", "cpuMicros") / cells, 0)} µs a cell`,
  });
  const perHost = (of("audit", "seconds") * 1_000) / count;
  const tools = await measureTools(bench, { roots, servers });
  const fastest = Math.min(...tools.map(({ ms }) => ms));
  bench.report({
    what: `an audit against the fastest of them, per host, Node ${node.label}`,
    figure: round(fastest / perHost, 1),
    unit: "× faster",
    bar: 20,
    atLeast: true,
    note: `${round(perHost, 2)} ms a host`,
  });
}

/** Milliseconds that each tool takes for one host on all nodes, one after the other, as a loop in a shell has it. */
async function measureTools(bench, { roots, servers }) {
  const tools = [
    {
      name: "openssl s_client",
      hosts: bench.quick ? 5 : 50,
      nodes: NODES,
      command: (host, port) => [
        "sh",
        ["-c", `openssl s_client -connect 127.0.0.1:${port} -servername ${host} -CAfile ${roots} -verify_hostname ${host} </dev/null`],
      ],
    },
    {
      name: "sslscan",
      hosts: bench.quick ? 1 : 3,
      nodes: bench.quick ? 1 : NODES,
      command: (host, port) => ["sslscan", ["--no-colour", `--sni-name=${host}`, `127.0.0.1:${port}`]],
    },
    {
      name: "testssl.sh, protocols and certificate alone",
      hosts: 1,
      // It takes a minute for each.
      nodes: 1,
      command: (host, port) => [
        "testssl",
        ["--quiet", "--warnings", "off", "--color", "0", "--ip", "127.0.0.1", "-p", "-S", `${host}:${port}`],
      ],
    },
  ];
  const measured = [];
  for (const { name, hosts, nodes: tried, command } of tools) {
    const started = performance.now();
    for (let at = 0; at < hosts; at += 1) {
      for (const { port } of servers.slice(0, tried)) {
        const words = command(hostName(at), port).flat();
        // testssl.sh tells by its exit code how many things it dislikes.
        await runCommand("sh", ["-c", '"$@" || [ "$0" = testssl ]', words[0], ...words], { cpu: BOTH });
      }
    }
    const ms = ((performance.now() - started) / hosts / tried) * NODES;
    bench.report({
      what: `${name}, one host on ${NODES} nodes`,
      figure: round(ms, 0),
      unit: "ms",
      note: tried < NODES ? `${NODES} times what ${tried} took` : "",
    });
    measured.push({ name, ms });
  }
  return measured;
}
