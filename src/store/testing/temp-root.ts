import { mkdtemp, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const MEMORY_DISK = "/dev/shm";
const NEEDED_BYTES = 500_000_000;

/** A fresh directory for a store, in memory where there is room: these tests are about order and exclusion, and flush thousands of times. */
export async function makeTempRoot(): Promise<string> {
  const space = await statfs(MEMORY_DISK).catch(() => undefined);
  const hasRoom = space !== undefined && space.bavail * space.bsize > NEEDED_BYTES;
  return mkdtemp(join(hasRoom ? MEMORY_DISK : tmpdir(), "certfarm-store-"));
}
