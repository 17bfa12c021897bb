import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { systemCode, toFarmError } from "../base/index.ts";
import { writeFileAtomic } from "./atomic-file.ts";
import { decodeRevision, encodeRevision } from "./revision-record.ts";
import type { Revision } from "./types.ts";

/** What the node's disk holds: damaged is never told as absent. */
export type LastGoodReading =
  | { readonly kind: "found"; readonly revision: Revision }
  | { readonly kind: "absent" }
  | { readonly kind: "damaged"; readonly problem: string };

/** The last revision that a node applied, on its own disk, for starts without the store. */
export interface LastGood {
  /** Never throws. */
  load(): Promise<LastGoodReading>;
  /** Atomic and durable. Throws system errors (full disk): the former one stays. */
  save(revision: Revision): Promise<void>;
}

/** Keeps `last-good.json` (mode 0600) in `dataDir`. Its YAML is checked against the digest beside it on every load. */
export function createLastGood({ dataDir }: { readonly dataDir: string }): LastGood {
  const path = join(dataDir, "last-good.json");
  return {
    async load() {
      try {
        return { kind: "found", revision: decodeRevision(await readFile(path), path) };
      } catch (error) {
        return systemCode(error) === "ENOENT" ? { kind: "absent" } : { kind: "damaged", problem: toFarmError(error).message };
      }
    },
    save: (revision) => writeFileAtomic(path, encodeRevision(revision), 0o600),
  };
}
