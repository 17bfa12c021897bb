import { randomUUID } from "node:crypto";
import { mkdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";

import { FarmError, systemCode, type Clock } from "../../../base/index.ts";
import { pause } from "../../bell.ts";
import { diskError, writeNewFile } from "./disk.ts";

/** Proves that a directory is this farm's store and not the empty mount point of a share that is not there. */
export interface FarmMarker {
  readonly id: string;
  /** @throws STORE_UNAVAILABLE when the marker is not there or is another farm's */
  require(): Promise<void>;
  /**
   * The same, or nothing when it was required within the last RECENT_MS: for looks that come every second from many sides. What is found
   * absent asks for `require`, which looks anew. @throws as require
   */
  requireRecent(): Promise<void>;
}

/** How a marker is opened. */
export interface MarkerOptions {
  readonly clock: Clock;
  /** Whether to found a store where none is. */
  readonly create: boolean;
  /** The farm that it must be, or is founded for; any unless told. */
  readonly farm?: string | undefined;
}

const RECENT_MS = 500;

const ID = /^[0-9a-f-]{36}\n$/;

const markerPath = (root: string): string => join(root, "state", "farm-id");

/**
 * Finds the marker of a store, or makes the store's directories and the marker when `create` is set.
 * @throws STORE_UNAVAILABLE without a marker @throws STORE_OF_ANOTHER_FARM
 */
export async function openFarmMarker(root: string, { create, farm, clock }: MarkerOptions): Promise<FarmMarker> {
  const id = (await readFarmId(root)) ?? (create ? await createStore(root, farm ?? randomUUID()) : undefined);
  if (id === undefined) throw notMounted(root);
  if (farm !== undefined && id !== farm)
    throw new FarmError("STORE_OF_ANOTHER_FARM", `${root} belongs to farm ${id}, not to farm ${farm}`, {
      facts: { file: markerPath(root) },
    });
  let known = "";
  let requiredMs = Number.NEGATIVE_INFINITY;
  const require = async (): Promise<void> => {
    const startMs = clock.monotonicMs();
    const stamp = await markerStamp(root);
    if (stamp !== known) {
      const found = await readFarmId(root);
      if (found === undefined) throw notMounted(root);
      if (found !== id) throw new FarmError("STORE_UNAVAILABLE", `${root} now holds another farm's store (${found}, not ${id})`);
      known = stamp;
    }
    requiredMs = startMs;
  };
  return {
    id,
    require,
    async requireRecent() {
      if (clock.monotonicMs() - requiredMs >= RECENT_MS) await require();
    },
  };
}

const notMounted = (root: string): FarmError =>
  new FarmError("STORE_UNAVAILABLE", `${root} is not a farm's store: state/farm-id is missing (is the share mounted?)`, {
    facts: { file: markerPath(root) },
  });

async function markerStamp(root: string): Promise<string> {
  try {
    const found = await stat(markerPath(root), { bigint: true });
    return `${found.dev}:${found.ino}:${found.mtimeNs}`;
  } catch (error) {
    if (systemCode(error) === "ENOENT" || systemCode(error) === "ENOTDIR") throw notMounted(root);
    throw diskError(error, `looking at ${markerPath(root)}`);
  }
}

/** The id in the marker of a directory; undefined = there is none. @throws STORE_CORRUPT @throws STORE_UNAVAILABLE */
export async function readFarmId(root: string): Promise<string | undefined> {
  for (let attempt = 1; ; attempt += 1) {
    const text = await readMarker(root);
    if (text === undefined || ID.test(text)) return text?.trimEnd();
    if (attempt === 5) throw new FarmError("STORE_CORRUPT", `${markerPath(root)} is damaged`, { facts: { file: markerPath(root) } });
    await pause(20, AbortSignal.timeout(1000)); // another process may be writing it
  }
}

async function readMarker(root: string): Promise<string | undefined> {
  try {
    return await readFile(markerPath(root), "latin1");
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw diskError(error, `reading ${markerPath(root)}`);
  }
}

/** Directories that hold private keys are for certfarm's user alone until an administrator opens them. */
const PRIVATE = 0o700;

async function createStore(root: string, id: string): Promise<string> {
  try {
    await mkdir(root, { recursive: true });
    await mkdir(join(root, "certificates"), { recursive: true, mode: PRIVATE });
    for (const name of ["config", "content"]) await mkdir(join(root, name), { recursive: true });
    for (const name of ["keys", "tmp", "notify", "blobs"]) await mkdir(join(root, "state", name), { recursive: true, mode: PRIVATE });
    return await createMarker(root, id);
  } catch (error) {
    throw diskError(error, `making a store in ${root}`);
  }
}

async function createMarker(root: string, id: string): Promise<string> {
  try {
    await writeNewFile(markerPath(root), Buffer.from(`${id}\n`), 0o600);
    return id;
  } catch (error) {
    if (systemCode(error) !== "EEXIST") throw error;
    const other = await readFarmId(root);
    if (other === undefined) throw error;
    return other;
  }
}
