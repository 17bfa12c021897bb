import { randomBytes } from "node:crypto";
import { rename, writeFile } from "node:fs/promises";

/** Writes a file whole: readers see the former or the new one. */
export async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  const fresh = `${path}.${process.pid}.${randomBytes(4).toString("hex")}`;
  await writeFile(fresh, bytes, { mode: 0o600 });
  await rename(fresh, path);
}
