import { resolve } from "node:path";

import type { Clock, Log } from "../../base/index.ts";
import type { Folder } from "../contract.ts";
import { createDirectoryFolder } from "./directory/folder.ts";
import { createGate } from "./directory/gate.ts";

/** A folder of this machine, read as a folder of a store is: links that lead out of it are not followed. Close it after use. */
export function openPlainFolder(
  path: string,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): {
  readonly folder: Folder;
  close(): void;
} {
  const gate = createGate();
  const closing = new AbortController();
  const marker = { id: "", require: () => Promise.resolve(), requireRecent: () => Promise.resolve() };
  const parts = { path: resolve(path), isDeep: true, fileMode: 0o666, gate, marker, clock, log, pollMs: 1000, closed: closing.signal };
  return {
    folder: createDirectoryFolder(parts),
    close() {
      closing.abort();
      gate.close();
    },
  };
}
