import { accessSync, constants, lchownSync, lstatSync, mkdirSync, readdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

import { FarmError, systemCode } from "../../base/index.ts";
import type { Account } from "./find-account.ts";

const ROOT = 0;

/**
 * Makes the data folder, as root, and gives it to the account. What root kept there before is handed over with it; a folder that belongs to
 * neither is left alone, and so are links: nobody else may choose what root changes. @throws DATA_FOLDER_FOREIGN, NODE_DISK
 */
export function ownDataFolder(folder: string, account: Account): void {
  try {
    makePassage(dirname(resolve(folder)));
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const { uid } = lstatSync(folder);
    if (uid === account.uid) return;
    if (uid !== ROOT)
      throw new FarmError("DATA_FOLDER_FOREIGN", `${folder} belongs to uid ${uid}, not to ${account.name}`, { facts: { folder, uid } });
    // The folder itself comes last: until then only root can put anything into it.
    for (const path of below(folder)) lchownSync(path, account.uid, account.gid);
    lchownSync(folder, account.uid, account.gid);
  } catch (error) {
    if (error instanceof FarmError) throw error;
    throw new FarmError("NODE_DISK", `${folder} cannot be given to ${account.name}: ${systemCode(error) ?? String(error)}`, {
      cause: error,
    });
  }
}

/** Folders above the data folder that are not there yet: everybody may pass, whatever the umask. */
function makePassage(folder: string): void {
  const former = process.umask(0o022);
  try {
    mkdirSync(folder, { recursive: true });
  } finally {
    process.umask(former);
  }
}

/** As the account: the folder can be used. @throws DATA_FOLDER_FOREIGN when a folder above it lets the account not through */
export function requireDataFolder(folder: string, { name }: Account): void {
  try {
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    const why = systemCode(error) ?? String(error);
    throw new FarmError("DATA_FOLDER_FOREIGN", `${name} cannot use ${folder} (${why}): see the permissions of the folders above it`, {
      facts: { folder },
      cause: error,
    });
  }
}

function* below(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* below(path);
    yield path;
  }
}
