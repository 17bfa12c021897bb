/** A farm of 100,000 certificates and 200 nodes over three members of etcd: sizes, rates, and what grows with what (docs/scale.md). */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { startEtcd } from "../lib/etcd.mjs";
import { sleep } from "../lib/processes.mjs";
import { median, quantile, round } from "../lib/statistics.mjs";

export const nodes = ["20"];

/** An EC certificate with its issuer's and its key, sealed: what a file of the central certificates has. */
const SEALED_BYTES = 2_800;
/** Written one by one by the driver; the rest by transactions of many, in the driver's form, so that the run stays short. */
const BY_DRIVER = 3_000;
const AT_ONCE = 32;
const IN_ONE = 64;
const REPORT_MS = 5_000;

export async function run(bench) {
  const certificates = bench.quick ? 5_000 : 100_000;
  const count = bench.quick ? 20 : 200;
  const seconds = bench.quick ? 10 : 30;
  const room = (name, file = "index") => import(pathToFileURL(join(bench.dist, name, `${file}.js`)));
  const etcd = await startEtcd(bench.folder("etcd"), 3);
  const rooms = {
    base: await room("base"),
    store: await room("store"),
    replica: await room("replica"),
    envelope: await room("store/drivers/etcd", "envelope"),
  };
  const settings = { place: etcd.address("farm"), blobs: bench.folder("blobs") };
  const open = (create = false) => rooms.store.openStore(settings, { log: rooms.base.silentLog, clock: rooms.base.systemClock, create });
  const store = await open(true);
  try {
    await fill({ bench, etcd, store, rooms }, certificates);
    await readNames({ bench, open }, certificates);
    await oneByOne({ bench, store }, certificates);
    await heartbeats({ bench, etcd, open, rooms }, { count, seconds });
  } finally {
    await store.close();
    await etcd.stop();
  }
}

const nameOf = (at) => `host${String(at).padStart(6, "0")}.example.com.pem`;
const mb = (bytes) => round(bytes / 1e6, 1);

async function lanes(count, width, work) {
  let at = 0;
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (let own = at++; own < count; own = at++) await work(own);
    }),
  );
}

async function fill({ bench, etcd, store, rooms }, certificates) {
  const folder = store.folder("certificates");
  const first = Math.min(BY_DRIVER, certificates);
  const times = [];
  const began = performance.now();
  await lanes(first, AT_ONCE, async (at) => {
    const start = performance.now();
    await folder.put(nameOf(at), randomBytes(SEALED_BYTES));
    times.push(performance.now() - start);
  });
  const rate = first / ((performance.now() - began) / 1000);
  const note = `${AT_ONCE} at a time; p50 ${round(median(times), 1)} ms, p99 ${round(quantile(times, 0.99), 1)} ms`;
  bench.report({ what: "certificates written by the driver", figure: round(rate, 0), unit: "/s", note });
  const base64 = (bytes) => Buffer.from(bytes).toString("base64");
  const head = Buffer.alloc(8);
  head.writeDoubleBE(Date.now());
  const rest = Math.ceil((certificates - first) / IN_ONE);
  await lanes(rest, 4, async (own) => {
    const from = first + own * IN_ONE;
    const puts = Array.from({ length: Math.min(IN_ONE, certificates - from) }, (_, more) => ({
      request_put: {
        key: base64(`farm/files/certificates/${nameOf(from + more)}`),
        value: base64(rooms.envelope.seal("00".repeat(16), Buffer.concat([head, randomBytes(SEALED_BYTES)]))),
      },
    }));
    await etcd.post("/v3/kv/txn", { success: puts });
  });
  const bytes = await etcd.databaseBytes();
  bench.report({
    what: `database of ${certificates.toLocaleString("en")} certificates of ${SEALED_BYTES} octets`,
    figure: mb(bytes),
    unit: "MB",
    note: `${round(bytes / certificates, 0)} octets each, history included`,
  });
  bench.report({ what: "memory of the members", figure: etcd.residentBytes().map(mb).join(" + "), unit: "MB" });
}

async function readNames({ bench, open }, certificates) {
  const times = [];
  let found = 0;
  for (let at = 0; at < 3; at += 1) {
    const cold = await open();
    const began = performance.now();
    found = (await cold.folder("certificates").names()).length;
    times.push(performance.now() - began);
    await cold.close();
  }
  bench.report({
    what: `names of all certificates listed (${found.toLocaleString("en")} of ${certificates.toLocaleString("en")})`,
    figure: round(median(times), 0),
    unit: "ms",
    bar: 5_000,
    note: "keys only, 2,000 a page",
  });
}

async function oneByOne({ bench, store }, certificates) {
  const folder = store.folder("certificates");
  for (const [what, work] of [
    ["one certificate read", (name) => folder.read(name, { maxBytes: 1 << 20 })],
    ["one certificate replaced", (name) => folder.put(name, randomBytes(SEALED_BYTES))],
  ]) {
    const times = [];
    for (let at = 0; at < 200; at += 1) {
      const began = performance.now();
      await work(nameOf((at * 7919) % certificates));
      times.push(performance.now() - began);
    }
    bench.report({
      what: `${String(what)}, p99`,
      figure: round(quantile(times, 0.99), 1),
      unit: "ms",
      note: `p50 ${round(median(times), 1)} ms, one after the other`,
    });
  }
}

/** Each a handle of its own with the watches that a node has, and its report every five seconds. */
async function heartbeats({ bench, etcd, open, rooms }, { count, seconds }) {
  const stop = new AbortController();
  const clients = [];
  for (let at = 0; at < count; at += 1) clients.push(startNode({ name: `web${at + 1}`, store: await open(), rooms, signal: stop.signal }));
  const balancer = await open();
  const seen = new Set();
  const watching = (async () => {
    for await (const reports of rooms.replica.createReports(balancer, { clock: rooms.base.systemClock }).watch(stop.signal))
      for (const { report } of reports) seen.add(report.node);
  })();
  await Promise.all(clients.map((client) => client.ready));
  await sleep(REPORT_MS);
  const names = {
    commits: "etcd_server_proposals_committed_total",
    sent: "etcd_network_client_grpc_sent_bytes_total",
    received: "etcd_network_client_grpc_received_bytes_total",
    calls: "grpc_server_started_total",
  };
  const look = async () => ({
    cpu: etcd.cpuSeconds(),
    own: process.cpuUsage(),
    ...Object.fromEntries(await Promise.all(Object.entries(names).map(async ([name, counter]) => [name, await etcd.counter(counter)]))),
  });
  for (const client of clients) client.times.length = 0;
  const before = await look();
  const began = performance.now();
  await sleep(seconds * 1000);
  const after = await look();
  const passed = (performance.now() - began) / 1000;
  const rate = (name) => (after[name] - before[name]) / passed;
  const times = clients.flatMap((client) => client.times);
  const own = (after.own.user + after.own.system - before.own.user - before.own.system) / 1e6 / passed;
  bench.report({
    what: `reports of ${count} nodes, p99`,
    figure: round(quantile(times, 0.99), 1),
    unit: "ms",
    note: `p50 ${round(median(times), 1)} ms; ${round(times.length / passed, 1)}/s; the balancer has seen ${seen.size} nodes`,
  });
  bench.report({
    what: "changes that the cluster commits",
    figure: round(rate("commits") / 3, 1),
    unit: "/s",
    note: `counted once, not for each member; ${round(rate("calls"), 0)} calls/s by gRPC`,
  });
  bench.report({
    what: "calls that a node costs the store",
    figure: round(rate("calls") / count, 2),
    unit: "/s",
    bar: 1,
    note: "reports and the word that the store is alive; nothing else changes",
  });
  bench.report({
    what: "octets that a node costs the store",
    figure: round((rate("sent") + rate("received")) / count, 0),
    unit: "B/s",
    bar: 2_048,
    note: "the balancer, which reads every report, is counted among them",
  });
  bench.report({
    what: "processor time of the three members",
    figure: round((after.cpu - before.cpu) / passed, 2),
    unit: "processors",
    note: `all ${count} clients together: ${round(own, 2)}`,
  });
  bench.report({
    what: "memory of the members with all watches",
    figure: etcd.residentBytes().map(mb).join(" + "),
    unit: "MB",
    note: `${count * clients[0].watches} watches`,
  });
  await measureNews({ bench, balancer, clients });
  stop.abort();
  await Promise.all([watching, ...clients.map((client) => client.close())]);
  await balancer.close();
}

function startNode({ name, store, rooms, signal }) {
  const { systemClock, silentLog } = rooms.base;
  const reports = rooms.replica.createReports(store, { clock: systemClock, log: silentLog });
  const times = [];
  const heard = { paths: new Set(), onNews: () => {} };
  const prefixes = [`requests/${name}`, "config-head", "tickets", "drains", "content"];
  const firsts = [];
  const follow = (iterable, take) => {
    const iterator = iterable[Symbol.asyncIterator]();
    firsts.push(iterator.next().then(take));
    return (async () => {
      await firsts.at(-1);
      for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) take(next);
    })();
  };
  const running = prefixes.map((prefix) => follow(store.state.watch(prefix, { signal }), () => {}));
  running.push(
    follow(store.folder("certificates").watch({ signal }), ({ value }) => {
      for (const path of value?.paths ?? []) heard.paths.add(path);
      heard.onNews();
    }),
  );
  const report = (at) => ({
    node: name,
    at: systemClock.now(),
    startedAt: at,
    pid: process.pid,
    version: "1.0.0",
    nodeVersion: process.versions.node,
    revision: 1,
    digest: "0".repeat(64),
    listeners: [{ address: "0.0.0.0", bindingPort: 443, port: 443, protocol: "https" }],
    table: { rows: 3, drift: [], reconcile: "mend" },
    content: [],
    proof: {
      proved: 50,
      failed: 0,
      pending: 0,
      truncated: false,
      hosts: Array.from({ length: 50 }, (_, one) => ({
        host: `host${one}.example.com`,
        port: 443,
        verdict: "proved",
        thumbprint: "0".repeat(40),
        at,
      })),
    },
    refusals: { total: 0, byReason: {} },
    handshakes: { served: 12_345, resumed: 1_234 },
    certificates: { listed: 100_000, read: 50, unusable: 0 },
    draining: false,
    resources: { rssBytes: 120_000_000, connections: 100, liveNames: 50, cpuSeconds: 12 },
  });
  const started = systemClock.now();
  const publish = async () => {
    const began = performance.now();
    const { kind } = await reports.publish(report(started));
    if (kind !== "published") throw new Error(`${name}: ${kind}`);
    times.push(performance.now() - began);
  };
  let failed;
  const reporting = (async () => {
    await sleep(Math.random() * REPORT_MS);
    while (!signal.aborted) {
      await publish();
      await sleep(REPORT_MS);
    }
  })().catch((error) => (failed = error));
  return {
    times,
    heard,
    watches: prefixes.length + 1,
    ready: Promise.all(firsts),
    async close() {
      await reporting;
      if (failed !== undefined) throw failed;
      await store.close();
      await Promise.all(running);
    },
  };
}

/** A certificate is replaced: how long until the last of all nodes has word of it. */
async function measureNews({ bench, balancer, clients }) {
  const times = [];
  for (let round = 0; round < 10; round += 1) {
    const name = nameOf(round);
    const began = performance.now();
    const all = clients.map(
      (client) =>
        new Promise((resolve) => {
          client.heard.onNews = () => client.heard.paths.has(name) && resolve();
        }),
    );
    for (const client of clients) client.heard.paths.clear();
    await balancer.folder("certificates").put(name, randomBytes(SEALED_BYTES));
    await Promise.race([Promise.all(all), sleep(20_000).then(() => Promise.reject(new Error("a node had no word of a change")))]);
    times.push(performance.now() - began);
  }
  bench.report({
    what: `a certificate is replaced → the last of ${clients.length} nodes knows, worst of 10`,
    figure: round(Math.max(...times), 0),
    unit: "ms",
    note: `median ${round(median(times), 0)} ms`,
  });
}
