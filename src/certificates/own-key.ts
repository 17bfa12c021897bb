import { randomBytes } from "node:crypto";
import { link, mkdir, readFile, rename, stat, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { FarmError, systemCode } from "../base/index.ts";

/** Makes the folders and reads or makes the key. @throws CERTIFICATES_KEPT_UNUSABLE */
export async function prepareFolder(folder: string, copies: string): Promise<Buffer> {
  try {
    await mkdir(copies, { recursive: true, mode: 0o700 });
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

/** Writes a file whole: readers see the former or the new one. */
export async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  const fresh = temporary(path);
  await writeFile(fresh, bytes, { mode: 0o600 });
  await rename(fresh, path);
}

function temporary(path: string): string {
  return `${path}.${process.pid}.${randomBytes(4).toString("hex")}`;
}
