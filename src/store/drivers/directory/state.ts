import { link, stat, unlink } from "node:fs/promises";
import { join } from "node:path";

import { systemCode, type Clock, type Log } from "../../../base/index.ts";
import type { Rev, Store } from "../../contract.ts";
import { prefixParts, requireValueSize } from "../../key.ts";
import { createLeases } from "../../lease.ts";
import { getBlob, putBlob } from "./blobs.ts";
import { tempName, writeNewFile } from "./disk.ts";
import type { FarmMarker } from "./farm-id.ts";
import type { Gate } from "./gate.ts";
import { watchKeys } from "./key-watch.ts";
import { createKeys, keyPlace } from "./keys.ts";
import { createNotify } from "./notify.ts";
import { startSweeping } from "./sweep.ts";

/** What the state of a directory store is made from. */
export interface StateParts {
  readonly root: string;
  readonly gate: Gate;
  readonly marker: FarmMarker;
  readonly clock: Clock;
  readonly log: Log;
  readonly pollMs: number;
  readonly hasLinks: boolean;
}

/** Versioned keys and blobs under `state/` of a directory. */
export function createDirectoryState(parts: StateParts): Store {
  const { root, gate, clock, log, hasLinks } = parts;
  const place = keyPlace(root, hasLinks);
  const blobPlace = { blobs: join(root, "state", "blobs"), temp: place.temp, gate };
  const notify = createNotify(join(root, "state", "notify"), log, clock);
  const keys = createKeys(place, { ...parts, notify });
  const closing = new AbortController();
  const sweeping = startSweeping({ ...place, gate }, log);
  const source = { ...parts, keys: place.keys, notify };

  // Expired before, and after as well: this process may have been stopped in between, and whoever gets an answer must find its lease lost.
  async function commit(key: string, value: Uint8Array | undefined, expect: Rev | undefined): Promise<Rev> {
    leases.expire();
    const rev = await keys.commit(key, value, expect);
    leases.expire();
    return rev;
  }
  async function write(key: string, value: Uint8Array, expect: Rev | undefined): Promise<Rev> {
    requireValueSize(key, value);
    return commit(key, value, expect);
  }
  const leases = createLeases({ read: (key) => keys.read(key), write }, clock);

  return {
    read: (key) => keys.read(key),
    write,
    async remove(key, expect) {
      await commit(key, undefined, expect);
    },
    list: (prefix) => keys.list(prefix),
    watch: (prefix, { signal }) => watchKeys(source, prefixParts(prefix), AbortSignal.any([signal, closing.signal])),
    putBlob: (content) => putBlob(blobPlace, content),
    getBlob: (digest, options) => getBlob(blobPlace, digest, options?.signal),
    lease: (name, ttlMs, options) => leases.acquire(name, ttlMs, options),
    async close() {
      await leases.close();
      sweeping.close();
      closing.abort();
      notify.close();
    },
  };
}

/** What file systems without hard links answer. */
const NO_LINKS = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK", "EINVAL", "EACCES"]);

/** Tries whether a directory's file system makes hard links. */
export async function probeLinks(temp: string): Promise<boolean> {
  const [from, to] = [join(temp, tempName()), join(temp, tempName())];
  await writeNewFile(from, new Uint8Array(), 0o600);
  try {
    await link(from, to);
    return (await stat(to)).nlink > 1;
  } catch (error) {
    if (NO_LINKS.has(systemCode(error) ?? "")) return false;
    throw error;
  } finally {
    await unlink(from).catch(() => undefined);
    await unlink(to).catch(() => undefined);
  }
}
