import { join } from "node:path";

import { FarmError } from "../../../base/index.ts";
import type { Entry, Rev } from "../../contract.ts";
import { keyParts, prefixParts } from "../../key.ts";
import { unknownOutcome, type Commit, type CommitProgress, type KeyPlace } from "./commit-step.ts";
import { commitVersion } from "./commit.ts";
import { diskError } from "./disk.ts";
import type { FarmMarker } from "./farm-id.ts";
import type { Gate } from "./gate.ts";
import { partName } from "./key-path.ts";
import { keyDirectory, scanKeys } from "./key-scan.ts";
import type { Notify } from "./notify.ts";
import { readLatest } from "./versions.ts";

/** Keys as directories of numbered versions. */
export interface DirectoryKeys {
  read(key: string): Promise<Entry | undefined>;
  /** Writes a value, or a tombstone for undefined. */
  commit(key: string, value: Uint8Array | undefined, expect: Rev | undefined): Promise<Rev>;
  list(prefix: string): Promise<readonly Entry[]>;
}

/** The paths of a store's keys. */
export const keyPlace = (root: string, hasLinks: boolean): KeyPlace => ({
  keys: join(root, "state", "keys"),
  temp: join(root, "state", "tmp"),
  hasLinks,
});

/** Versioned keys of a directory; every call ends by the gate's deadline. */
export function createKeys(
  place: KeyPlace,
  parts: { readonly gate: Gate; readonly marker: FarmMarker; readonly notify: Notify },
): DirectoryKeys {
  const { gate, marker, notify } = parts;
  const { keys, hasLinks } = place;
  return {
    async read(key) {
      const directory = keyDirectory(keys, keyParts(key));
      return guard(`reading ${key}`, () =>
        gate.run(`reading ${key}`, async () => {
          const version = await readLatest(directory, hasLinks);
          if (version === undefined) await marker.require();
          if (version === undefined || version.header.removed) return undefined;
          if (version.header.key !== key) throw strayFile(directory, version.header.key);
          return { key, value: version.value, rev: version.header.rev };
        }),
      );
    },
    async commit(key, value, expect) {
      const names = keyParts(key);
      const change: Commit = { key, directory: keyDirectory(keys, names), expect, value };
      const progress: CommitProgress = { sent: false };
      const work = async (): Promise<Rev> => {
        await marker.require();
        const rev = await commitVersion(place, change, progress);
        await notify.touch(names[0] ?? key, names.map(partName).join("/"));
        return rev;
      };
      const late = (): FarmError | undefined => (progress.sent ? unknownOutcome(change, "the disk does not answer") : undefined);
      return guard(`writing ${key}`, () => gate.run(`writing ${key}`, work, { late }));
    },
    async list(prefix) {
      const names = prefixParts(prefix);
      return guard(`listing ${prefix === "" ? "all keys" : prefix}`, async () => {
        const { versions } = await scanKeys({ keys, parts: names, hasLinks, gate });
        await gate.run("looking at the store", () => marker.require());
        const live = [...versions.values()].filter(({ header }) => !header.removed);
        return live.map(({ header, value }) => ({ key: header.key, value, rev: header.rev }));
      });
    },
  };
}

async function guard<T>(doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw diskError(error, doing);
  }
}

function strayFile(directory: string, found: string): FarmError {
  return new FarmError("STORE_CORRUPT", `${directory} holds the key ${JSON.stringify(found)}: it was moved there`, {
    facts: { file: directory },
  });
}
