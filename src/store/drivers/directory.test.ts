import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { silentLog, systemClock } from "../../base/index.ts";
import { storeConformance, type ConformanceBacking } from "../conformance.ts";
import { openDirectoryStore } from "../index.ts";
import { makeTempRoot } from "../testing/temp-root.ts";
import { keyDirectory } from "./directory/key-scan.ts";
import { encodeVersion, newRev } from "./directory/version-file.ts";

async function makeBacking(hardLinks: boolean): Promise<ConformanceBacking> {
  const root = await makeTempRoot();
  return {
    open: (clock = systemClock) => openDirectoryStore({ root, log: silentLog, clock, pollMs: 100, hardLinks }),
    async fill(keys, value) {
      for (const key of keys) {
        const directory = keyDirectory(join(root, "state", "keys"), key.split("/"));
        await mkdir(directory, { recursive: true });
        const header = { key, rev: newRev(1), ancestors: [], length: value.byteLength, removed: false };
        await writeFile(join(directory, "@1"), encodeVersion(header, value));
      }
    },
    ...(hardLinks ? {} : { manyKeys: 500 }),
    remove: () => rm(root, { recursive: true, force: true }),
  };
}

storeConformance("directory driver", () => makeBacking(true));
storeConformance("directory driver without hard links", () => makeBacking(false));
