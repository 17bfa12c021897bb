import { setTimeout as pause } from "node:timers/promises";

import { FarmError, systemClock, toFarmError, type Log } from "../base/index.ts";
import type { FarmConfig } from "../config/index.ts";
import { createLastGood, createRevisions, readConfig } from "../replica/index.ts";
import { openStoreLater, type FarmStore } from "../store/index.ts";
import { become } from "./account/become.ts";
import { findAccount } from "./account/find-account.ts";
import { plannedEndpoints, type PlannedEndpoint } from "./account/planned-endpoints.ts";
import { parseRoleOptions, type RoleOptions } from "./role-options.ts";
import { startRole } from "./role.ts";

type RoleName = "node" | "balancer";

const RETRY_MS = 1_000;
const STORE_MS = 3_000;
const MAX_YAML_BYTES = 4 << 20;

/**
 * `certfarm endpoints node|balancer …`, for `--user` (src/app/account): prints as JSON where that role will listen. It becomes the account first, and
 * waits until there is a configuration: the last good one, the newest revision (both count), or a saved farm.yaml that no node has judged yet.
 */
export async function runEndpoints([role, ...args]: readonly string[]): Promise<void> {
  if (role !== "node" && role !== "balancer") throw new FarmError("USAGE", "certfarm endpoints node|balancer OPTIONS");
  const options = await parseRoleOptions(role, args);
  if (options.user !== undefined) become(await findAccount(options.user));
  const { log } = startRole({ [role]: options.name });
  const store = openStoreLater(options.store, { log, clock: systemClock });
  const endpoints = await untilKnown(role, options, { store, log });
  await store.close();
  process.stdout.write(JSON.stringify(endpoints), () => process.exit(0));
}

interface Sources {
  readonly store: FarmStore;
  readonly log: Log;
}

async function untilKnown(role: RoleName, options: RoleOptions, sources: Sources): Promise<readonly PlannedEndpoint[]> {
  for (;;) {
    const configs = await readConfigs(options, sources);
    const places = configs.flatMap((config) => {
      const place = role === "node" ? config.nodes.find(({ name }) => name === options.name) : config.balancer;
      return place === undefined ? [] : plannedEndpoints(config, place);
    });
    if (places.length > 0) return distinct(places);
    await pause(RETRY_MS);
  }
}

async function readConfigs({ data }: RoleOptions, { store, log }: Sources): Promise<readonly FarmConfig[]> {
  const kept = await createLastGood({ dataDir: data }).load();
  const newest = await inTime(createRevisions(store, { clock: systemClock, log }).latest());
  const known = [kept.kind === "found" ? kept.revision.yaml : undefined, newest?.yaml].filter((yaml) => yaml !== undefined);
  const texts = known.length > 0 ? known : [await savedFile(store)].filter((yaml) => yaml !== undefined);
  const readings = await Promise.all(texts.map((yaml) => readConfig(yaml)));
  return readings.flatMap((reading) => (reading.kind === "valid" ? [reading.config] : []));
}

async function savedFile(store: FarmStore): Promise<string | undefined> {
  const file = await inTime(store.folder("config").read("farm.yaml", { maxBytes: MAX_YAML_BYTES }));
  return file === undefined ? undefined : Buffer.from(file.bytes).toString("utf8");
}

/** What the store answers within a moment; a store that cannot be reached is no reason not to start. */
async function inTime<T>(answer: Promise<T>): Promise<T | undefined> {
  const late = pause(STORE_MS, undefined, { ref: false });
  return Promise.race([answer, late]).catch((error: unknown) => {
    toFarmError(error); // the role itself reports what is wrong with the store
    return undefined;
  });
}

function distinct(endpoints: readonly PlannedEndpoint[]): readonly PlannedEndpoint[] {
  return [...new Map(endpoints.map((endpoint) => [`${endpoint.address} ${endpoint.port}`, endpoint])).values()];
}
