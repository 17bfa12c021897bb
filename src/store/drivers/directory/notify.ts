import { watch, type FSWatcher } from "node:fs";
import { appendFile, readdir, stat, truncate } from "node:fs/promises";
import { join } from "node:path";

import { systemCode, type Log } from "../../../base/index.ts";
import type { Bell } from "../../bell.ts";
import { partName } from "./key-path.ts";

/**
 * Quick word of changes: after a write the writer appends a byte to `state/notify/<first part of the key>`. On a local disk the
 * kernel tells the others at once; elsewhere they see the stamp with their next poll. It is only ever a hint: watches look for themselves too.
 */
export interface Notify {
  touch(top: string): Promise<void>;
  /** Changes with every touch that can be told apart; empty when nothing was ever touched. */
  stamp(top: string | undefined): Promise<string>;
  /** Rings at touches below `top` (undefined = all), until the returned function is called. */
  subscribe(top: string | undefined, bell: Bell): () => void;
  /** Starts watching, again when the directory was replaced or events failed. Cheap; called with every poll. */
  revive(): Promise<void>;
  close(): void;
}

const MAX_BYTES = 4096;

/** Word of changes through a directory. */
export function createNotify(directory: string, log: Log): Notify {
  const bells = new Map<Bell, string | undefined>();
  let watcher: FSWatcher | undefined;
  let watched: string | undefined;
  let isClosed = false;

  function onEvent(name: string | null): void {
    for (const [bell, top] of bells) if (name === null || top === undefined || top === name) bell.ring();
  }

  function start(identity: string): void {
    watcher?.close();
    watched = identity;
    try {
      watcher = watch(directory, { persistent: false }, (_event, name) => onEvent(name));
      watcher.on("error", () => watcher?.close());
    } catch (error) {
      watcher = undefined;
      log.warn("the store is polled only: no file events", { directory, errno: systemCode(error) });
    }
  }

  async function fileStamp(name: string): Promise<string> {
    try {
      const found = await stat(join(directory, name), { bigint: true });
      return `${name} ${found.ino} ${found.size} ${found.mtimeNs}\n`;
    } catch (error) {
      if (systemCode(error) === "ENOENT") return "";
      throw error;
    }
  }

  return {
    async touch(top) {
      const file = join(directory, partName(top));
      try {
        await appendFile(file, ".", { mode: 0o600 });
        if ((await stat(file)).size > MAX_BYTES) await truncate(file);
      } catch (error) {
        log.debug("no word of a change could be left", { file, errno: systemCode(error) });
      }
    },
    async stamp(top) {
      if (top !== undefined) return fileStamp(partName(top));
      const stamps = await Promise.all((await readdir(directory)).sort().map(fileStamp));
      return stamps.join("");
    },
    subscribe(top, bell) {
      bells.set(bell, top === undefined ? undefined : partName(top));
      return () => bells.delete(bell);
    },
    async revive() {
      const found = await stat(directory, { bigint: true });
      const identity = `${found.dev}:${found.ino}`;
      if (identity !== watched && !isClosed) start(identity);
    },
    close() {
      isClosed = true;
      watcher?.close();
    },
  };
}
