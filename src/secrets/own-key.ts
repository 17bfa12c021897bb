import { randomBytes } from "node:crypto";
import { link, mkdir, readFile, stat, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { FarmError, systemCode } from "../base/index.ts";

/**
 * The key of a node's own copies, in `folder/key` (mode 0600): read, or made on first use. It protects what leaves the machine as a backup of
 * parts, or as a single file; who has the whole data folder has the key as well (docs/secrets.md). @throws CERTIFICATES_KEPT_UNUSABLE
 */
export async function openOwnKey(folder: string): Promise<Buffer> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return await ownKey(join(folder, "key"));
  } catch (error) {
    if (error instanceof FarmError) throw error;
    throw new FarmError(
      "CERTIFICATES_KEPT_UNUSABLE",
      `${folder} cannot be used for the node's own copies (${systemCode(error) ?? "unknown"})`,
      { cause: error },
    );
  }
}

/** The node's key, made on first use. Processes that start together agree on one: the link is made once. */
async function ownKey(path: string): Promise<Buffer> {
  if ((await stat(path).catch(() => undefined)) === undefined) {
    const fresh = temporary(path);
    await writeFile(fresh, randomBytes(32), { mode: 0o600, flag: "wx" });
    await link(fresh, path).catch((error: unknown) => {
      if (systemCode(error) !== "EEXIST") throw error;
    });
    await unlink(fresh);
  }
  const key = await readFile(path);
  const { mode } = await stat(path);
  if (key.byteLength !== 32) throw new FarmError("CERTIFICATES_KEPT_UNUSABLE", `${path} is not a key of 32 octets`);
  if ((mode & 0o077) !== 0)
    throw new FarmError("CERTIFICATES_KEPT_UNUSABLE", `${path} can be read by others (mode ${(mode & 0o777).toString(8)})`);
  return key;
}

function temporary(path: string): string {
  return `${path}.${process.pid}.${randomBytes(4).toString("hex")}`;
}
