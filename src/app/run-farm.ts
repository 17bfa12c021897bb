import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { join, relative } from "node:path";

import { FarmError, systemClock } from "../base/index.ts";
import type { UpArguments } from "../cli/index.ts";
import { createOperations, type Operations } from "../operations/index.ts";
import { noPasswords } from "../certificates/index.ts";
import { readConfigProblem } from "../replica/index.ts";
import { farmKeySource, sealStore } from "../secrets/index.ts";
import type { FarmStore } from "../store/index.ts";
import { checkPorts } from "./check-ports.ts";
import { currentUser } from "./current-user.ts";
import { aborted } from "./ending.ts";
import { farmSummary } from "./farm-summary.ts";
import { createWarnings } from "./warnings.ts";
import { startFarm, type RunningFarm } from "./run-up.ts";
import { serveAdmin, type RunningAdmin } from "./serve-admin.ts";

/** How long the farm may take until every node has proved every host. */
const PROVED_MS = 30_000;
/** A process that is not ready by then does not start. */
const READY_MS = 60_000;
const ADMIN_OFFSET = 499;
const LOOK_MS = 200;
/** Far beyond what farm.yaml may have: larger files are refused by the nodes, which is then told. */
const MAX_READ_BYTES = 64 << 20;

/** `certfarm up`: a whole farm on this machine, with its admin API, until the signal aborts. Returns the exit code. */
export async function runFarm(given: UpArguments, signal: AbortSignal): Promise<number> {
  const tell = (text: string): void => void process.stderr.write(text);
  const warnings = createWarnings(tell);
  let admin: RunningAdmin | undefined;
  let farm: RunningFarm | undefined;
  try {
    farm = await startFarm({
      ...given,
      write: (line) => warnings.add(line),
      prepare: async ({ paths, store, config, log }) => {
        // Before anything is written: the ports are taken when this very farm runs already.
        await checkPorts(config);
        const passwords = (await exists(paths.passwords)) ? { passwords: paths.passwords } : {};
        const authority = (await exists(paths.authority)) ? { authority: paths.authority } : {};
        const port = given.adminPort ?? given.basePort + ADMIN_OFFSET;
        const source = farmKeySource({ ...given.farmKey, environment: process.env });
        const sealed = sealStore(store, { source, clock: systemClock, log });
        admin = await serveAdmin({ sealed, local: paths.local, port, log, ...passwords, ...authority });
      },
    });
    await untilReady(farm, signal, tell);
    if (!signal.aborted) await welcome(farm, admin, signal);
    warnings.dropHeld();
    await aborted(signal);
    tell("\nThe farm ends: its nodes let connections end.\n");
    return 0;
  } catch (error) {
    warnings.tellHeld();
    throw error;
  } finally {
    await admin?.close();
    await farm?.close();
  }
}

/** Resolves when every process said that it serves. @throws FARM_NOT_STARTED */
async function untilReady({ config, supervisor, paths }: RunningFarm, signal: AbortSignal, tell: (text: string) => void): Promise<void> {
  const wanted = [...config.nodes.map(({ name }) => name), ...(config.balancer === undefined ? [] : ["balancer"])];
  const missing = (): readonly string[] => wanted.filter((name) => !supervisor.ready.has(name));
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      const first = missing()[0] ?? "a process";
      reject(
        new FarmError(
          "FARM_NOT_STARTED",
          `${missing().join(", ")} did not start within ${READY_MS / 1000} s; see ${join(paths.local, "logs", `${first}.log`)}`,
        ),
      );
    }, READY_MS);
    const done = (): void => {
      clearTimeout(timer);
      resolve();
    };
    signal.addEventListener("abort", done, { once: true });
    const look = (): void => void (missing().length === 0 && done());
    supervisor.onReady((name) => {
      tell(`✓ ${name} serves\n`);
      look();
    });
    look();
  });
}

/** Waits until the nodes have proved their hosts, then says where everything is. */
async function welcome(farm: RunningFarm, admin: RunningAdmin | undefined, signal: AbortSignal): Promise<void> {
  const { store, log, config, paths } = farm;
  const operations = createOperations({ store, clock: systemClock, log, passwords: noPasswords, by: currentUser() });
  const laggards = await firstLaggards(store, operations, signal);
  if (signal.aborted) return;
  const hasDemoCa = await exists(paths.authority);
  process.stdout.write(farmSummary({ config, paths, adminUrl: admin?.url ?? "", hasDemoCa, laggards, farmOption: farmOption(paths.root) }));
}

/** The saved farm.yaml becomes a revision by one of the nodes a moment after they start; then every node proves it. */
async function firstLaggards(store: FarmStore, operations: Operations, signal: AbortSignal): Promise<readonly string[]> {
  const untilMs = performance.now() + PROVED_MS;
  const left = (): number => Math.max(0, untilMs - performance.now());
  while (!signal.aborted && left() > 0) {
    const outcome = await savedFileOutcome(store, operations);
    if (outcome.kind === "refused") return outcome.problems;
    if (outcome.kind === "taken") {
      const { laggards } = await operations.config.awaitProved({ timeoutMs: left(), signal }).catch(noLaggards);
      return laggards.map(({ node, because }) => `${node}: ${because}`);
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  return signal.aborted ? [] : ["the saved farm.yaml has not become a revision yet"];
}

type SavedFileOutcome =
  | { readonly kind: "taken" }
  | { readonly kind: "waiting" }
  | { readonly kind: "refused"; readonly problems: readonly string[] };

async function savedFileOutcome(store: FarmStore, operations: Operations): Promise<SavedFileOutcome> {
  const file = await store.folder("config").read("farm.yaml", { maxBytes: MAX_READ_BYTES });
  const digest = file === undefined ? undefined : createHash("sha256").update(file.bytes).digest("hex");
  const [problem, [latest]] = await Promise.all([readConfigProblem(store), operations.config.history(1)]);
  if (latest !== undefined && (digest === undefined || latest.digest === digest)) return { kind: "taken" };
  return problem !== undefined && problem.digest === digest ? { kind: "refused", problems: problem.problems } : { kind: "waiting" };
}

/** Ctrl-C while waiting. */
function noLaggards(error: unknown): { readonly laggards: readonly { readonly node: string; readonly because: string }[] } {
  if (error instanceof FarmError && error.code === "CANCELLED") return { laggards: [] };
  throw error;
}

/** The commands find a farm in the current folder and in ./demo-farm by themselves. */
function farmOption(root: string): string {
  const from = relative(process.cwd(), root);
  return from === "" || from === "demo-farm" ? "" : ` --farm ${from.startsWith("..") ? root : from}`;
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
