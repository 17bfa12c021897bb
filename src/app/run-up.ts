import { mkdir, readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";

import { createLog, FarmError, systemClock, systemCode, type Log } from "../base/index.ts";
import { formatProblems, type FarmConfig } from "../config/index.ts";
import { parseFarmConfig } from "../config/parse-farm-config.ts";
import type { FarmKeyOptions } from "../secrets/index.ts";
import { openDirectoryStore, type FarmStore } from "../store/index.ts";
import { farmPaths, makeDemoFarm, type FarmPaths } from "./demo/make-demo-farm.ts";
import { createSupervisor, type Supervisor } from "./supervisor.ts";

/** What `certfarm up` was told. */
export interface UpOptions {
  /** Absent = the demo farm. */
  readonly farmFile?: string;
  /** First port of the demo farm. */
  readonly basePort: number;
  /** Where the demo farm is made. */
  readonly demoRoot: string;
  /** Where the farm key is, for the nodes. */
  readonly farmKey: FarmKeyOptions;
  /** Lets drills put faults into the nodes. */
  readonly allowDrills?: boolean;
  readonly write: (text: string) => void;
  /** Done before any process starts; what it throws ends the start. */
  readonly prepare?: (farm: Omit<RunningFarm, "supervisor" | "close">) => Promise<void>;
}

/** A farm that runs on this machine. */
export interface RunningFarm {
  readonly paths: FarmPaths;
  readonly config: FarmConfig;
  readonly store: FarmStore;
  readonly supervisor: Supervisor;
  readonly log: Log;
  close(): Promise<void>;
}

const END_MS = 15_000;

/** Starts every node of the farm and its balancer as processes of their own. @throws CONFIG_INVALID, STORE_UNAVAILABLE */
export async function startFarm(options: UpOptions): Promise<RunningFarm> {
  const log = createLog({ write: (line) => options.write(`${line}\n`), now: () => systemClock.now(), level: "warn" });
  const paths =
    options.farmFile === undefined
      ? await makeDemoFarm(resolve(options.demoRoot), { basePort: options.basePort, log })
      : farmPaths(dirname(resolve(options.farmFile)));
  await mkdir(paths.local, { recursive: true, mode: 0o700 });
  const store = await openDirectoryStore({ root: paths.store, log, clock: systemClock });
  const config = await prepareFarm(options, { paths, store, log }).catch(async (error: unknown) => {
    await store.close();
    throw error;
  });
  const supervisor = createSupervisor(join(paths.local, "logs"), log);
  for (const { name } of config.nodes) {
    const data = join(paths.local, "nodes", name);
    const args = [
      "node",
      "--name",
      name,
      "--store",
      paths.store,
      "--data",
      data,
      "--passwords",
      paths.passwords,
      ...farmKeyArguments(options.farmKey),
    ];
    supervisor.start({ name, args: options.allowDrills === true ? [...args, "--allow-drills"] : args });
  }
  if (config.balancer !== undefined) {
    supervisor.start({ name: "balancer", args: ["balancer", "--store", paths.store, "--data", join(paths.local, "balancer")] });
  }
  return {
    paths,
    config,
    store,
    supervisor,
    log,
    async close() {
      await supervisor.close(END_MS);
      await store.close();
    },
  };
}

/** A key in the environment goes on to the processes by itself. */
const farmKeyArguments = ({ file, command }: FarmKeyOptions): readonly string[] => [
  ...(file === undefined ? [] : ["--farm-key-file", file]),
  ...(command === undefined ? [] : ["--farm-key-command", command]),
];

/** Everything that can fail before a process starts. */
async function prepareFarm(options: UpOptions, parts: Pick<RunningFarm, "paths" | "store" | "log">): Promise<FarmConfig> {
  const config = await readConfig(options.farmFile ?? join(parts.paths.store, "config", "farm.yaml"));
  await options.prepare?.({ ...parts, config });
  if (options.farmFile !== undefined) await adopt(options.farmFile, parts.store);
  return config;
}

/** A farm.yaml outside of the store is saved into it when it is newer than what the store has: from there on it is like any saved file. */
async function adopt(file: string, store: FarmStore): Promise<void> {
  const bytes = await readFile(file);
  const folder = store.folder("config");
  const present = await folder.read("farm.yaml", { maxBytes: bytes.length + 4_194_304 });
  if (present === undefined || !bytes.equals(present.bytes)) await folder.put("farm.yaml", bytes);
}

async function readConfig(file: string): Promise<FarmConfig> {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw new FarmError("CONFIG_UNREADABLE", `${file} cannot be read: ${systemCode(error) ?? String(error)}`, { cause: error });
  });
  const reading = parseFarmConfig(text);
  if (reading.kind === "valid") return reading.config;
  throw new FarmError("CONFIG_INVALID", `${file} is not valid:\n${formatProblems(file, reading.problems, text)}`, { facts: { file } });
}
