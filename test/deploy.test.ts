import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { afterAll, beforeAll, expect, it } from "vitest";

import { MAIN } from "./farm/processes.ts";
import { run, type RunResult } from "./farm/run.ts";
import { until } from "./farm/until.ts";

/**
 * Follows docs/deploy.md word by word on nine machines: each has a network, a host name and a disk of its own (namespaces, and overlays over
 * this machine's disk). What the page installs from registries is there already, so those blocks are left out and `certfarm` is this build;
 * `scp` copies between the machines by their addresses.
 */
const PAGE = fileURLToPath(new URL("../docs/deploy.md", import.meta.url));
const MACHINES: ReadonlyMap<string, string> = new Map([
  ...[1, 2, 3].map((number) => [`etcd${number}`, `10.0.0.1${number}`] as const),
  ...[1, 2, 3, 4].map((number) => [`web${number}`, `10.0.0.2${number}`] as const),
  ...[1, 2].map((number) => [`lb${number}`, `10.0.0.3${number}`] as const),
]);
/** The tests need root, or sudo without a password. */
const ROOT = process.getuid?.() === 0 ? [] : ["sudo", "-n"];
const OVERLAID = ["etc", "var", "root", "usr/local"];
const BLOCK_MS = 100_000;
/** Machines that start within namespaces have no systemd of their own: there the page's other way is followed. */
const WAY = "shell";

/** A block of the page. */
interface Block {
  readonly line: number;
  readonly on: readonly string[];
  readonly script: string;
}

let folder: string;
let town: ChildProcess | undefined;
/** Of the first process in the town's namespaces. */
let townPid: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "certfarm-deploy-"));
  await chmod(folder, 0o755);
  await mkdir(join(folder, "bin"));
  await mkdir(join(folder, "pids"));
  await program("certfarm", `exec ${process.execPath} --max-semi-space-size=4 ${MAIN} "$@"`);
  await program("scp", SCP);
  await writeFile(join(folder, "machine.sh"), MACHINE);
  town = await holder([...ROOT, "unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"], "town");
  townPid = await deepest(town);
  await inTown("ip link add switch type bridge\nip link set switch up");
  for (const name of MACHINES.keys()) await addMachine(name);
}, 100_000);
afterAll(async () => {
  // With the first process of their PID namespace, all others end.
  if (town !== undefined) {
    const ended = once(town, "exit");
    await run(ROOT[0] ?? "kill", [...ROOT.slice(1), ...(ROOT.length > 0 ? ["kill"] : []), "-KILL", String(town.pid)]);
    await ended;
  }
  await rm(folder, { recursive: true, force: true });
});

async function program(name: string, script: string): Promise<void> {
  const path = join(folder, "bin", name);
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
}

/** `scp FILE root@ADDRESS:PATH`, by the other machine's view of the disk. */
const SCP = `set -e
address=\${2#root@} && address=\${address%%:*} && path=\${2#*:}
cp "$1" "/proc/$(cat FOLDER/pids/$address)/root$path"`;

/** What a machine does when it is switched on; then it only is there. */
const MACHINE = `set -e
hostname "$1"
mount -t tmpfs none FOLDER/bin/../disk-$1
for path in ${OVERLAID.join(" ")}; do
  disk=FOLDER/disk-$1/$(echo "$path" | tr / -)
  mkdir -p "$disk/upper" "$disk/work"
  mount -t overlay -o "lowerdir=/$path,upperdir=$disk/upper,workdir=$disk/work" overlay "/$path"
done
cp FOLDER/bin/* /usr/local/bin/
ip link set lo up
echo $$ > FOLDER/pids/$2
exec sleep 900`;

/** A process that only holds namespaces. */
async function holder(command: readonly string[], name: string): Promise<ChildProcess> {
  const [program_, ...args] = [...command, "sh", "-ec", `ip link set lo up\necho up > ${folder}/pids/${name}\nexec sleep 900`];
  const child = spawn(program_, args, { stdio: "ignore" });
  await until(() => Promise.resolve(existsSync(join(folder, "pids", name))), { what: `${name} is there` });
  return child;
}

async function inTown(script: string): Promise<void> {
  const { code, stderr } = await enter("town", script);
  expect(code, stderr).toBe(0);
}

/** Runs a script in the town, which sees all machines from outside, or on a machine. */
async function enter(where: string, script: string): Promise<RunResult> {
  const inside = where === "town" ? script : `exec nsenter -t "$(cat ${folder}/pids/${MACHINES.get(where)})" -m -n -u sh -ec "$SCRIPT"`;
  const [command, ...args] = [
    ...ROOT,
    "nsenter",
    "-t",
    townPid,
    "-m",
    "-n",
    "-p",
    "env",
    "-i",
    `PATH=${PATH}`,
    "HOME=/root",
    "GOMAXPROCS=1",
    `SCRIPT=${script}`,
    "sh",
    "-ec",
    inside,
  ];
  return run(command, args, { timeoutMs: BLOCK_MS });
}

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** sudo, if it takes one, then unshare, then the first process of the namespace, which has no children yet. */
async function deepest(child: ChildProcess): Promise<string> {
  let pid = String(child.pid);
  for (;;) {
    const children = (await readFile(`/proc/${pid}/task/${pid}/children`, "utf8")).trim().split(" ")[0] ?? "";
    if (children === "") return pid;
    pid = children;
  }
}

async function addMachine(name: string): Promise<void> {
  const address = MACHINES.get(name) ?? "";
  await mkdir(join(folder, `disk-${name}`));
  await writeFile(join(folder, `${name}.sh`), MACHINE.replaceAll("FOLDER/bin/../", "FOLDER/").replaceAll("FOLDER", folder));
  await program("scp", SCP.replaceAll("FOLDER", folder));
  await inTown(`setsid unshare --net --uts --mount sh ${folder}/${name}.sh ${name} ${address} > ${folder}/${name}.log 2>&1 &
    until [ -s ${folder}/pids/${address} ]; do sleep 0.05; done
    pid=$(cat ${folder}/pids/${address})
    ip link add to-${name} type veth peer name eth0 netns $pid
    ip link set to-${name} master switch up
    nsenter -t $pid -n sh -ec 'ip address add ${address}/24 dev eth0 && ip link set eth0 up'`);
}

/** The page's blocks that are typed here, in order. */
function blocksOf(page: string): readonly Block[] {
  return [...page.matchAll(/^```sh on=(\S+)(?: (with|step)=(\S+))?\n(.*?)^```$/gms)].flatMap((match): Block[] => {
    const [, on = "", kind, value, script = ""] = match;
    if (kind === "step" || (kind === "with" && value !== WAY)) return [];
    const line = page.slice(0, match.index).split("\n").length;
    return [{ line, on: on === "all" ? [...MACHINES.keys()] : on.split(","), script }];
  });
}

it("the page's commands, in its order, bring a farm that serves through both balancers", async () => {
  const page = await readFile(PAGE, "utf8");
  const blocks = blocksOf(page);
  // Every block says where it is typed.
  expect(page.match(/^```sh/gm)?.length).toBe(page.match(/^```sh on=[a-z0-9,]+( (with=(shell|systemd)|step=install))?$/gm)?.length);
  expect(blocks.length).toBeGreaterThan(15);
  let last = "";
  for (const { line, on, script } of blocks) {
    const done = await Promise.all(on.map(async (name) => ({ name, ...(await enter(name, script)) })));
    for (const { name, code, stdout, stderr } of done) expect(code, `docs/deploy.md:${line} on ${name}:\n${stdout}\n${stderr}`).toBe(0);
    last = done.map(({ stdout }) => stdout).join("");
  }
  expect(last).toBe("308 https://www.example.org/\n308 https://www.example.org/\n");
}, 280_000);

it("no process of certfarm is root there, and no private key is in etcd in the clear", async () => {
  const { stdout } = await enter("town", "ps -eo user:20,args | grep '[m]ain.js' | cut -d' ' -f1 | sort | uniq -c");
  // The admin API, four nodes and two balancers, by the number of an account that only their machines know.
  expect(stdout.trim()).toMatch(/^7 (?!root$)\S+$/);
  const dump = await enter(
    "etcd1",
    `export ETCDCTL_API=3 ETCDCTL_CACERT=/etc/certfarm/etcd-ca.pem ETCDCTL_ENDPOINTS=https://10.0.0.11:2379
    etcdctl --user "root:$(cat /root/etcd-root-password)" get --prefix "" | grep -a -c 'PRIVATE KEY' || true`,
  );
  expect(dump.stdout.trim()).toBe("0");
});
