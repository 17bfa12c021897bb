import { rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import { until } from "../farm/until.ts";
import type { FaultFarm } from "./fault-farm.ts";
import { either, nothing, onKeptConnection, through, underWay } from "./judge.ts";
import { BALANCER_HOSTS, ETCD_HOSTS, NODE_HOSTS, type Host } from "./network.ts";
import type { Fault } from "./stage.ts";

/** How long a balancer may need to find out that a node is silent: two polls that nobody answers, and the pause between them. */
const SILENCE_MS = 5_500;

const onVictim = "requests under way on its connections";
const clientsFindOut = {
  excuse: through("lb1"),
  mayFail: "one request of each client, which then uses the other",
  atMost: (farm: FaultFarm) => farm.clients,
};

const killed = (
  name: string,
  who: (farm: FaultFarm) => Promise<Host>,
  more: Pick<Fault, "excuse" | "mayFail" | "atMost" | "short">,
): Fault => ({
  name: `kill -9 of ${name}`,
  seconds: [6, 4],
  ...more,
  async begin(farm) {
    const part = farm.part(await who(farm));
    await part.kill();
    return () => part.start();
  },
});

const frozen = (
  name: string,
  who: (farm: FaultFarm) => Promise<Host>,
  more: Pick<Fault, "excuse" | "mayFail" | "atMost" | "short">,
): Fault => ({
  name: `SIGSTOP of ${name}`,
  seconds: [12, 6],
  ...more,
  async begin(farm) {
    const part = farm.part(await who(farm));
    await part.freeze();
    return () => part.thaw();
  },
});

const is = (host: Host) => (): Promise<Host> => Promise.resolve(host);
const leader = async (farm: FaultFarm): Promise<Host> => (await farm.etcdByRole()).leader;
const follower = async (farm: FaultFarm): Promise<Host> => (await farm.etcdByRole()).follower;
const harmless = { excuse: nothing, mayFail: "none" };

const others = (hosts: readonly Host[], host: Host): readonly Host[] => hosts.filter((one) => one !== host);

/** Hosts that have business with etcd. */
const ETCD_CLIENTS: readonly Host[] = [...NODE_HOSTS, ...BALANCER_HOSTS];

const isStale = (farm: FaultFarm, host: Host): Promise<unknown> =>
  until(async () => (await farm.health(host, "/readyz")).body["staleSince"] !== undefined, {
    what: `${host} says that it is stale`,
    deadlineMs: 30_000,
  });

/** Takes all room that is left on a host's disk. */
function fill(farm: FaultFarm, host: Host): () => void {
  const file = join(farm.disk(host), "ballast");
  const { bavail, bsize } = statfsSync(farm.disk(host));
  const chunk = Buffer.alloc(bsize);
  try {
    writeFileSync(file, Buffer.alloc(bavail * bsize));
    for (;;) writeFileSync(file, chunk, { flag: "a" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
  }
  return () => rmSync(file);
}

/** One after the other; the next one only when everything is proved again. */
async function roll(farm: FaultFarm, hosts: readonly Host[]): Promise<void> {
  for (const host of hosts) {
    await farm.part(host).end();
    farm.part(host).start();
    await until(async () => (await farm.notProved()) === undefined, {
      what: `everything is proved after ${host}`,
      deadlineMs: 60_000,
      everyMs: 200,
    });
  }
}

const rolling = (name: string, hosts: readonly Host[], more: Partial<Fault> = {}): Fault => ({
  name: `rolling restart of ${name}`,
  seconds: [0, 0],
  ...harmless,
  begin: (farm) => roll(farm, hosts),
  ...more,
});

/** Every fault, in the order in which they are played. */
export const FAULTS: readonly Fault[] = [
  killed("a node", is("web1"), { excuse: underWay(), mayFail: onVictim, short: true }),
  frozen("a node", is("web2"), { excuse: either(underWay(), onKeptConnection(SILENCE_MS)), mayFail: onVictim, short: true }),
  killed("a balancer", is("lb1"), { ...clientsFindOut, short: true }),
  frozen("a balancer", is("lb1"), clientsFindOut),
  killed("the etcd leader", leader, { ...harmless, short: true }),
  frozen("the etcd leader", leader, harmless),
  killed("an etcd follower", follower, harmless),
  frozen("an etcd follower", follower, harmless),
  {
    name: "one etcd member cut off from the two others, and still reached by everybody else",
    seconds: [12, 6],
    ...harmless,
    async begin(farm) {
      const host = await leader(farm);
      return farm.network.cut(host, others(ETCD_HOSTS, host));
    },
  },
  {
    name: "two etcd members cut off from everybody: no quorum",
    short: true,
    seconds: [15, 8],
    ...harmless,
    begin(farm) {
      const heals = [
        farm.network.cut("etcd1", [...others(ETCD_HOSTS, "etcd1"), ...ETCD_CLIENTS]),
        farm.network.cut("etcd2", ["etcd3", ...ETCD_CLIENTS]),
      ];
      return Promise.resolve(() => heals.forEach((heal) => heal()));
    },
  },
  {
    name: "a node cut off from the store",
    short: true,
    seconds: [15, 6],
    ...harmless,
    begin: (farm) => Promise.resolve(farm.network.cut("web3", ETCD_HOSTS)),
    during: async (farm) => void (await isStale(farm, "web3")),
  },
  {
    name: "all etcd members killed",
    seconds: [15, 6],
    ...harmless,
    async begin(farm) {
      await Promise.all(farm.parts(ETCD_HOSTS).map((part) => part.kill()));
      return () => farm.parts(ETCD_HOSTS).forEach((part) => part.start());
    },
    during: async (farm) => void (await Promise.all(NODE_HOSTS.map((host) => isStale(farm, host)))),
  },
  {
    name: "a node cut off from both balancers",
    seconds: [12, 6],
    excuse: either(underWay(), onKeptConnection(SILENCE_MS)),
    mayFail: onVictim,
    begin: (farm) => Promise.resolve(farm.network.cut("web4", BALANCER_HOSTS)),
  },
  {
    name: "a node cut off from one balancer",
    seconds: [12, 6],
    excuse: either(underWay(), onKeptConnection(SILENCE_MS)),
    mayFail: onVictim,
    begin: (farm) => Promise.resolve(farm.network.cut("web4", ["lb2"])),
  },
  {
    name: "a slow link from a balancer to a node: 300 ms each way",
    seconds: [12, 6],
    ...harmless,
    begin: (farm) => Promise.resolve(farm.slow("lb1", "web1", [443, 8081])),
  },
  {
    name: "a slow link from a node to the store: 300 ms each way",
    seconds: [12, 6],
    ...harmless,
    async begin(farm) {
      const heals = ETCD_HOSTS.map((member) => farm.slow("web2", member, [2379]));
      return () => heals.forEach((heal) => heal());
    },
  },
  {
    name: "a lossy link to a node: 5 % of its packets",
    seconds: [12, 6],
    ...harmless,
    begin: (farm) => Promise.resolve(farm.network.lose("web1", 5)),
  },
  {
    name: "a lossy link to an etcd member: 20 % of its packets",
    seconds: [12, 6],
    ...harmless,
    begin: async (farm) => farm.network.lose(await leader(farm), 20),
  },
  { name: "a node's disk is full", seconds: [12, 6], ...harmless, begin: (farm) => Promise.resolve(fill(farm, "web4")) },
  {
    name: "an etcd member's disk is full",
    seconds: [12, 6],
    ...harmless,
    async begin(farm) {
      const host = await follower(farm);
      const empty = fill(farm, host);
      return async () => {
        empty();
        await pause(500);
        if (!farm.part(host).running) farm.part(host).start();
      };
    },
  },
  ...([3600, -3600] as const).map((seconds): Fault => ({
    name: `a node's clock is an hour ${seconds > 0 ? "ahead" : "behind"}`,
    seconds: [12, 6],
    ...harmless,
    begin(farm) {
      farm.skew("web3", seconds);
      return Promise.resolve(() => farm.skew("web3", 0));
    },
    async during(farm) {
      const isOff = async (): Promise<boolean> =>
        Math.abs((await farm.health("web3", "/livez")).clockMs - Date.now() - seconds * 1000) < 10_000;
      await until(isOff, { what: "the node's clock is wrong" });
    },
  })),
  rolling("all nodes", NODE_HOSTS, { short: true }),
  rolling("both balancers", BALANCER_HOSTS),
  rolling("all etcd members", ETCD_HOSTS),
  rolling("all parts", [...ETCD_HOSTS, ...NODE_HOSTS, ...BALANCER_HOSTS], {
    name: "rolling upgrade of nodes and balancers to another build",
    async begin(farm) {
      farm.useBuild("second");
      await roll(farm, [...NODE_HOSTS, ...BALANCER_HOSTS]);
      for (const part of farm.parts([...NODE_HOSTS, ...BALANCER_HOSTS])) {
        if (!/"version":"[^"]+-second"/.test(part.log())) throw new Error(`${part.host} does not run the second build`);
      }
    },
  }),
];
