/** Sessions of one node resume on the others, and go on resuming while the farm's ticket keys are rotated. */
import { connect } from "node:tls";

import { loadRooms, makeFarm, startServing } from "../lib/farm.mjs";
import { hostName } from "../lib/make-certificates.mjs";
import { round } from "../lib/statistics.mjs";

const NODES = ["web1", "web2", "web3", "web4"];
const NAMES = 50;

export const nodes = ["20"];

export async function run(bench) {
  const [node] = bench.nodes;
  const farm = await makeFarm(bench, { nodes: NODES, sets: [{ format: "pem", count: NAMES }] });
  const servers = await Promise.all(NODES.map((name, at) => startServing(farm, node, { name, cpu: String(at % 2) })));
  try {
    for (const maxVersion of ["TLSv1.3", "TLSv1.2"]) {
      const visits = bench.quick ? 200 : 1_000;
      const same = await visitInTurn(servers, { visits, maxVersion });
      bench.report({ what: `resumed on another node each time, ${maxVersion}`, figure: same, unit: "%", bar: 99, atLeast: true });
      const rotated = await visitInTurn(servers, { visits, maxVersion, halfWay: () => rotateTicketKeys(bench, farm.store) });
      bench.report({
        what: `the same, across a rotation of the ticket keys, ${maxVersion}`,
        figure: rotated,
        unit: "%",
        bar: 99,
        atLeast: true,
      });
    }
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
}

/** One client a name; each goes from node to node with the last session it got. Percentage of the visits after the first that resumed. */
async function visitInTurn(servers, { visits, maxVersion, halfWay }) {
  const sessions = new Map();
  let resumed = 0;
  for (let at = 0; at < NAMES + visits; at += 1) {
    if (at === Math.floor(NAMES + visits / 2)) await halfWay?.();
    const round = Math.floor(at / NAMES);
    const host = hostName(at % NAMES);
    const visited = await visit(servers[(at + round) % servers.length].port, { servername: host, maxVersion, session: sessions.get(host) });
    sessions.set(host, visited.session);
    if (at >= NAMES && visited.resumed) resumed += 1;
  }
  return round((100 * resumed) / visits);
}

/** A handshake and a request: in TLS 1.3 the ticket comes after the handshake. */
function visit(port, options) {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false, ...options });
    let { session } = options;
    let resumed = false;
    socket.on("session", (ticket) => (session = ticket));
    socket.on("secureConnect", () => {
      resumed = socket.isSessionReused();
      socket.write(`HEAD / HTTP/1.1\r\nHost: ${options.servername}\r\nConnection: close\r\n\r\n`);
    });
    socket.on("data", () => undefined);
    socket.on("close", () => resolve({ resumed, session }));
    socket.on("error", reject);
  });
}

/** Turns the farm's keys as a node does when they are due. */
async function rotateTicketKeys(bench, root) {
  const { openDirectoryStore, createTicketKeys, silentLog, systemClock } = await loadRooms(bench);
  const store = await openDirectoryStore({ root, log: silentLog, clock: systemClock });
  const keys = createTicketKeys({ store, clock: systemClock, log: silentLog, rotateEveryMs: 0 });
  if (!(await keys.rotateIfDue({ lost: new AbortController().signal }))) throw new Error("the ticket keys were not rotated");
  await store.close();
}
