import { execFileSync, spawn, type ChildProcess } from "node:child_process";

/** The hosts of the faults suite and the last part of each one's address. */
const HOSTS = { etcd1: 11, etcd2: 12, etcd3: 13, web1: 21, web2: 22, web3: 23, web4: 24, lb1: 31, lb2: 32, client: 41, relay: 51 } as const;

/** A network namespace that stands for a machine of its own. */
export type Host = keyof typeof HOSTS;

export const ETCD_HOSTS = ["etcd1", "etcd2", "etcd3"] as const satisfies readonly Host[];
export const NODE_HOSTS = ["web1", "web2", "web3", "web4"] as const satisfies readonly Host[];
export const BALANCER_HOSTS = ["lb1", "lb2"] as const satisfies readonly Host[];

const SUBNET = "10.87.0";
/** The machine that runs the tests: the switch that all hosts are plugged into has this address. */
const CONTROL = 254;

export const addressOf = (host: Host): string => `${SUBNET}.${HOSTS[host]}`;

/** What has to be undone. */
export type Heal = () => void;

/** The hosts, each with one interface on a common switch, and what can be done to their links. */
export interface Network {
  /** Starts a program on a host. */
  spawn(host: Host, command: readonly string[], options: SpawnSettings): ChildProcess;
  /** Drops every packet between a host and others, both ways, without a sign to either. */
  cut(host: Host, others: readonly Host[]): Heal;
  /** Drops this part of all packets that arrive at a host. */
  lose(host: Host, percent: number): Heal;
  /** Sends what a host dials at `from` to `to` instead: connections made from then on. */
  divert(host: Host, from: Door, to: Door): Heal;
}

/** A port of a host. */
export interface Door {
  readonly host: Host;
  readonly port: number;
}

/** How a program is started. */
export interface SpawnSettings {
  readonly env?: Readonly<Record<string, string>>;
  readonly stdio: ("ignore" | "pipe" | "ipc")[];
}

const run = (command: string, ...args: string[]): void => void execFileSync(command, args, { stdio: ["ignore", "ignore", "pipe"] });

/**
 * Makes the hosts. Only within namespaces of its own (scripts/test-faults.mjs), which the kernel takes away with the last process:
 * whatever ends the tests leaves nothing behind.
 */
export function createNetwork(): Network {
  if (process.env["CERTFARM_FAULTS_SEALED"] === undefined) throw new Error("run it by npm run test:faults: it makes networks");
  run("ip", "link", "set", "lo", "up");
  run("ip", "link", "add", "switch", "type", "bridge");
  run("ip", "address", "add", `${SUBNET}.${CONTROL}/24`, "dev", "switch");
  run("ip", "link", "set", "switch", "up");
  for (const host of Object.keys(HOSTS) as Host[]) addHost(host); // the keys of a literal
  return {
    spawn: (host, [command = "", ...args], { env = {}, stdio }) =>
      spawn("ip", ["netns", "exec", host, command, ...args], { stdio, env: { ...plainEnvironment(), ...env } }),
    cut: (host, others) => cut(host, others),
    lose: (host, percent) => dropping(host, `chain input { type filter hook input priority 0; numgen random mod 100 < ${percent} drop\n }`),
    divert(host, from, to) {
      const [door, other] = [from, to].map(({ host: at, port }) => `${addressOf(at)} . ${port}`);
      run("ip", "netns", "exec", host, "nft", `add element inet lines doors { ${door} : ${other} }`);
      return () => run("ip", "netns", "exec", host, "nft", `delete element inet lines doors { ${door} }`);
    },
  };
}

function addHost(host: Host): void {
  run("ip", "netns", "add", host);
  run("ip", "link", "add", `to-${host}`, "type", "veth", "peer", "name", "eth0", "netns", host);
  run("ip", "link", "set", `to-${host}`, "master", "switch", "up");
  run("ip", "-netns", host, "address", "add", `${addressOf(host)}/24`, "dev", "eth0");
  run("ip", "-netns", host, "link", "set", "eth0", "up");
  run("ip", "-netns", host, "link", "set", "lo", "up");
  nft(host, LINES);
}

/**
 * Where connections are diverted to. It is there from the beginning: the kernel translates connections by what it saw of their first packet, and
 * would cut those that it did not know, or no longer knew.
 */
const LINES = `table inet lines {
  map doors { type ipv4_addr . inet_service : ipv4_addr . inet_service; }
  chain output { type nat hook output priority -100; dnat ip to ip daddr . tcp dport map @doors; }
}`;

function nft(host: Host, text: string): void {
  execFileSync("ip", ["netns", "exec", host, "nft", "-f", "-"], { input: `${text}\n` });
}

function cut(host: Host, others: readonly Host[]): Heal {
  const them = `{ ${others.map(addressOf).join(", ")} }`;
  return dropping(
    host,
    `chain input { type filter hook input priority 0; ip saddr ${them} drop
     }
     chain output { type filter hook output priority 0; ip daddr ${them} drop
     }`,
  );
}

let tables = 0;

function dropping(host: Host, chains: string): Heal {
  tables += 1;
  const name = `fault${tables}`;
  nft(host, `table inet ${name} {\n${chains}\n}`);
  return () => run("ip", "netns", "exec", host, "nft", "delete", "table", "inet", name);
}

/** What the tests' own environment may say to Node or certfarm is not for the hosts. */
function plainEnvironment(): Record<string, string> {
  const { PATH = "", HOME = "/", LANG = "C.UTF-8" } = process.env;
  return { PATH, HOME, LANG };
}
