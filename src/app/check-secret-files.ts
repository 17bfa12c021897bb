import { stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";

import { FarmError, systemCode } from "../base/index.ts";

/** Keys that a role keeps below its data folder. */
const KEPT = ["identity/key.pem", "certificates/key", "join.json"];
const [GROUP_MAY_CHANGE, GROUP, OTHERS] = [0o020, 0o070, 0o007];
const ROOT = 0;

/** Checks the files below a role's data folder, and those it was given, as checkSecretFiles does. */
export const checkRoleFiles = (data: string, given: readonly (string | undefined)[]): Promise<void> =>
  checkSecretFiles([...KEPT.map((path) => join(data, path)), ...given.filter((path) => path !== undefined)]);

/**
 * Each must belong to this account or to root, and be for nobody else. A file of root's may be readable by a group (0640): that is how an
 * administrator hands it over. systemd's credentials are its own matter, and what is not there is for whoever needs it to tell.
 * @throws SECRET_FILE_EXPOSED that names the first file
 */
export async function checkSecretFiles(paths: readonly string[]): Promise<void> {
  if (process.platform === "win32") return;
  const credentials = process.env["CREDENTIALS_DIRECTORY"];
  for (const path of paths) {
    if (credentials !== undefined && dirname(resolve(path)) === resolve(credentials)) continue;
    const problem = await exposure(path);
    if (problem !== undefined) throw new FarmError("SECRET_FILE_EXPOSED", `${path} ${problem}`, { facts: { file: path } });
  }
}

async function exposure(path: string): Promise<string | undefined> {
  try {
    const { mode, uid } = await stat(path);
    const shown = (mode & 0o777).toString(8).padStart(4, "0");
    const own = process.geteuid?.() ?? ROOT;
    if (uid !== own && uid !== ROOT) return `belongs to uid ${uid}, who may change it`;
    if ((mode & OTHERS) !== 0) return `can be read or changed by everybody (mode ${shown})`;
    if ((mode & GROUP_MAY_CHANGE) !== 0) return `can be changed by its group (mode ${shown})`;
    return (mode & GROUP) !== 0 && uid === own ? `can be read by its group (mode ${shown})` : undefined;
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "EACCES"].includes(systemCode(error) ?? "")) return undefined;
    throw error;
  }
}
