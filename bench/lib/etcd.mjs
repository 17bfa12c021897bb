/** A real etcd cluster on loopback, with its data on the disk. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";

import { sleep } from "./processes.mjs";

async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** Starts `count` members with the settings that docs/store.md asks for. */
export async function startEtcd(folder, count) {
  const ports = await freePorts(2 * count);
  const peer = (at) => `http://127.0.0.1:${ports[count + at]}`;
  const urls = Array.from({ length: count }, (_, at) => `http://127.0.0.1:${ports[at]}`);
  const cluster = urls.map((_, at) => `m${at}=${peer(at)}`).join(",");
  const members = urls.map((url, at) => {
    const words = ["--name", `m${at}`, "--data-dir", join(folder, `m${at}`), "--initial-cluster", cluster];
    words.push("--listen-client-urls", url, "--advertise-client-urls", url);
    words.push("--listen-peer-urls", peer(at), "--initial-advertise-peer-urls", peer(at));
    words.push("--auto-compaction-mode", "periodic", "--auto-compaction-retention", "1h", "--quota-backend-bytes", "8589934592");
    return spawn("etcd", [...words, "--logger", "zap", "--log-level", "fatal"], { stdio: "ignore" });
  });
  const post = async (path, body, at = 0) =>
    (await fetch(`${urls[at]}${path}`, { method: "POST", body: JSON.stringify(body), signal: AbortSignal.timeout(30_000) })).json();
  for (let at = 0; at < count; at += 1)
    for (let tries = 0; (await post("/v3/maintenance/status", {}, at).catch(() => ({}))).leader === undefined; tries += 1) {
      if (tries > 300) throw new Error("etcd does not start");
      await sleep(100);
    }
  return {
    address: (prefix) => `etcd://${urls.map((url) => url.slice(7)).join(",")}/${prefix}`,
    post,
    /** Sum over all members of a counter of /metrics, with or without labels. */
    async counter(name) {
      let sum = 0;
      for (const url of urls) {
        const text = await (await fetch(`${url}/metrics`)).text();
        for (const line of text.split("\n"))
          if (line.startsWith(`${name} `) || line.startsWith(`${name}{`)) sum += Number(line.split(" ").at(-1));
      }
      return sum;
    },
    databaseBytes: async () => Number((await post("/v3/maintenance/status", {})).dbSize),
    residentBytes: () => members.map(({ pid }) => Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]) * 1024),
    /** Seconds of processor time of all members. */
    cpuSeconds: () =>
      members.reduce((sum, { pid }) => {
        const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
        return sum + (Number(fields[11]) + Number(fields[12])) / 100;
      }, 0),
    async stop() {
      for (const member of members) member.kill("SIGKILL");
      await Promise.all(
        members.filter((member) => member.exitCode === null && member.signalCode === null).map((member) => once(member, "exit")),
      );
    },
  };
}
