import { setTimeout as sleep } from "node:timers/promises";

import { toFarmError, type Clock, type Log } from "../base/index.ts";
import type { Store } from "../store/index.ts";
import type { FarmSecrets } from "./farm-secrets.ts";

/** What a process told of its farm key. */
export interface Holder {
  readonly name: string;
  /** Id of the farm key. */
  readonly farmKey: string;
  readonly at: number;
}

/** What telling of the farm key needs. */
export interface HolderParts {
  readonly state: Store;
  readonly secrets: FarmSecrets;
  /** The node's name. */
  readonly name: string;
  readonly clock: Clock;
  readonly log: Log;
}

const PREFIX = "secrets/holders";
/** A file is looked at again this often, so that a new farm key is known before the former one is given up. */
const FILE_MS = 5_000;
/** A KMS is asked again this often. */
const COMMAND_MS = 600_000;
const RETRY_MS = 5_000;

/**
 * Keeps the farm key of this process as it is where it comes from, and tells the store which one that is, only when it changed. Ends on abort
 * and never rejects: without a farm key a node serves from its own copies.
 */
export async function followFarmKey(parts: HolderParts, signal: AbortSignal): Promise<void> {
  const { secrets, log } = parts;
  if (secrets.source === undefined) return;
  let told: string | undefined;
  let problem: string | undefined;
  while (!signal.aborted) {
    let waitMs = secrets.source.kind === "command" ? COMMAND_MS : FILE_MS;
    try {
      const { id } = secrets.source.kind === "fixed" ? await secrets.farmKey() : await secrets.reload();
      if (id !== told) await tell(parts, id);
      told = id;
      problem = undefined;
      if (secrets.source.kind === "fixed") return;
    } catch (thrown) {
      const error = toFarmError(thrown);
      if (error.message !== problem) log.warn("the farm key of this process", { problem: error.message, remedy: error.remedy });
      problem = error.message;
      waitMs = RETRY_MS;
    }
    await sleep(waitMs, undefined, { signal, ref: false }).catch(() => {});
  }
}

async function tell({ state, name, clock }: HolderParts, farmKey: string): Promise<void> {
  const key = `${PREFIX}/${name}`;
  const entry = await state.read(key);
  if (entry !== undefined && decode(name, entry.value)?.farmKey === farmKey) return;
  await state.write(key, new TextEncoder().encode(JSON.stringify({ farmKey, at: clock.now() })), entry?.rev);
}

/** What each process told last. */
export async function readHolders(state: Store): Promise<readonly Holder[]> {
  const entries = await state.list(PREFIX);
  return entries.flatMap(({ key, value }) => decode(key.slice(PREFIX.length + 1), value) ?? []);
}

function decode(name: string, value: Uint8Array): Holder | undefined {
  try {
    const { farmKey, at } = JSON.parse(Buffer.from(value).toString("utf8")) as Partial<Holder>; // checked below
    return typeof farmKey === "string" && typeof at === "number" ? { name, farmKey, at } : undefined;
  } catch {
    return undefined;
  }
}
