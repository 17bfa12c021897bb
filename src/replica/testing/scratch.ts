import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A directory of its own under the system's temporary one, and how to remove it. */
export async function scratchDirectory(): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "certfarm-replica-"));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}
