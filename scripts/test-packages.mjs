/** What the tests run for real, and the Debian package that brings each. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

const NEEDED = [
  ["openssl", "openssl"],
  ["curl", "curl"],
  ["nginx", "nginx"],
  ["haproxy", "haproxy"],
  ["caddy", "caddy"],
  ["apache2", "apache2-bin"],
  ["chromium", "chromium"],
  ["javac", "openjdk-17-jdk-headless"],
  ["testssl", "testssl.sh"],
  ["certutil", "libnss3-tools"],
  ["unshare", "util-linux"],
  ["etcd", "etcd-server"],
  ["etcdctl", "etcd-client"],
  ["fusermount", "fuse3"],
  ["/usr/lib/python3/dist-packages/fusepy.py", "python3-fusepy"],
  ["ip", "iproute2"],
  ["nft", "nftables"],
  ["faketime", "faketime"],
  ["keepalived", "keepalived"],
  ["/usr/lib/nginx/modules/ngx_stream_module.so", "libnginx-mod-stream"],
  ["systemd-analyze", "systemd"],
  ["ip", "iproute2"],
  ["setpriv", "util-linux"],
];

/** A command, or a file by its whole path. */
const isThere = (wanted) =>
  wanted.startsWith("/") ? existsSync(wanted) : spawnSync("sh", ["-c", `command -v ${wanted}`], { stdio: "ignore" }).status === 0;

/** Installs what is missing; says so first, and says which packages when it cannot. */
export function installTestPackages() {
  const missing = [...new Set(NEEDED.filter(([command]) => !isThere(command)).map(([, name]) => name))];
  if (missing.length === 0) return;
  console.log(`The tests need these Debian packages, which are installed now: ${missing.join(" ")}`);
  const environment = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const sudo = process.getuid?.() === 0 ? [] : ["sudo", "-n"];
  const apt = (...args) => {
    const [command, ...rest] = [...sudo, "apt-get", ...args];
    return spawnSync(command, rest, { stdio: ["ignore", "ignore", "inherit"], env: environment }).status === 0;
  };
  // Servers are started by the tests themselves, on free ports: a package must not start its own.
  const done = apt("update") && apt("-o", "Dpkg::Options::=--force-confold", "install", "-y", "--no-install-recommends", ...missing);
  for (const service of ["nginx", "haproxy", "caddy", "etcd", "keepalived"])
    spawnSync("sh", ["-c", `command -v systemctl >/dev/null && systemctl disable --now ${service}`], { stdio: "ignore" });
  const stillMissing = NEEDED.filter(([command]) => !isThere(command)).map(([, name]) => name);
  if (done && stillMissing.length === 0) return;
  console.error(`certfarm's tests cannot run: install these packages first:\n  apt-get install ${[...new Set(stillMissing)].join(" ")}`);
  process.exit(2);
}
