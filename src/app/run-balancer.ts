import { createLastGood, createDrains, createRevisions, type Revision } from "../replica/index.ts";
import { balancerSettings, startBalancer, type Balancer } from "../balancer/index.ts";
import { FarmError, systemClock, toFarmError, type Log } from "../base/index.ts";
import { parseFarmConfig } from "../config/index.ts";
import { openDirectoryStoreLater, type FarmStore } from "../store/index.ts";
import { startRole } from "./role.ts";
import { parseRoleOptions } from "./role-options.ts";
import { VERSION } from "./version.ts";

/** `certfarm balancer`: the layer-4 front, until SIGTERM; then it lets connections end. */
export async function runBalancer(args: readonly string[]): Promise<void> {
  const options = parseRoleOptions("balancer", args);
  const role = startRole({ balancer: options.name });
  const { log } = role;
  const store = openDirectoryStoreLater({ root: options.store, log, clock: systemClock, create: false });
  const ending = new AbortController();
  const follower = createFollower(store, options.data, log, () => role.ready());
  log.info("balancer started", { version: VERSION, pid: process.pid, store: options.store });
  const following = follower.run(ending.signal);
  log.info("balancer ends", { because: await role.ended });
  ending.abort();
  await following;
  await follower.balancer()?.close();
  await store.close();
  process.exit(0);
}

interface Follower {
  run(signal: AbortSignal): Promise<void>;
  balancer(): Balancer | undefined;
}

/** Follows revisions and drains; starts from the last good revision on its own disk when the store is gone. */
function createFollower(store: FarmStore, dataDir: string, log: Log, ready: () => void): Follower {
  const lastGood = createLastGood({ dataDir });
  let balancer: Balancer | undefined;
  let drained: readonly string[] = [];

  const apply = async (revision: Revision): Promise<void> => {
    const reading = parseFarmConfig(revision.yaml);
    const settings = reading.kind === "valid" ? balancerSettings(reading.config) : undefined;
    if (settings === undefined) {
      const problem = reading.kind === "valid" ? "it has no balancer" : "it is not valid";
      throw new FarmError("BALANCER_NOT_CONFIGURED", `revision ${revision.number} cannot be balanced by: ${problem}`);
    }
    if (balancer === undefined) balancer = await startBalancer({ config: settings, log, clock: systemClock });
    else await balancer.apply(settings);
    balancer.setDrained(drained);
    await lastGood.save(revision);
    log.info("revision applied", { revision: revision.number });
    ready();
  };
  const tryApply = async (revision: Revision): Promise<void> => {
    await apply(revision).catch((error: unknown) => {
      log.error("revision not applied", { revision: revision.number, problem: toFarmError(error).message });
    });
  };
  const followDrains = async (signal: AbortSignal): Promise<void> => {
    for await (const nodes of createDrains(store).watch(signal)) {
      drained = [...nodes];
      balancer?.setDrained(drained);
    }
  };
  const followRevisions = async (signal: AbortSignal): Promise<void> => {
    const kept = await lastGood.load();
    if (kept.kind === "found") await tryApply(kept.revision);
    for await (const revision of createRevisions(store, { clock: systemClock, log }).watch(signal)) await tryApply(revision);
  };
  return {
    balancer: () => balancer,
    run: async (signal) => {
      await Promise.all([followRevisions(signal), followDrains(signal)]);
    },
  };
}
