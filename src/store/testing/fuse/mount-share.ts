import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { makeTempRoot } from "../temp-root.ts";

/** What a share does that a local disk does not. */
export interface ShareFaults {
  /** Each call takes this long. */
  readonly delayMs?: number;
  /** A directory is shown as it was up to so long ago. */
  readonly staleMs?: number;
  readonly noLinks?: boolean;
  /** A file that somebody has open is not replaced, as on SMB. */
  readonly noRenameOverOpen?: boolean;
  readonly readOnly?: boolean;
  /** -1 times: until other faults are set. */
  readonly fail?: { readonly errno: "EIO" | "ESTALE" | "ENOSPC"; readonly calls: readonly string[]; readonly times: number };
}

/** A folder that is mounted through FUSE. */
export interface FaultyShare {
  readonly root: string;
  set(faults: ShareFaults): Promise<void>;
  unmount(): Promise<void>;
}

const PROGRAM = fileURLToPath(new URL("faulty_fs.py", import.meta.url));
const START_MS = 20_000;

/** Mounts an empty folder; needs /dev/fuse and Debian's python3-fusepy. */
export async function mountShare(faults: ShareFaults = {}): Promise<FaultyShare> {
  const base = await makeTempRoot();
  const [folder, root, control] = [join(base, "folder"), join(base, "share"), join(base, "control.json")];
  await mkdir(folder);
  await mkdir(root);
  const set = (next: ShareFaults): Promise<void> => writeFile(control, JSON.stringify(next));
  await set(faults);
  const outside = (await stat(root)).dev;
  const child = spawn("/usr/bin/python3", [PROGRAM, folder, root, control], { stdio: ["ignore", "ignore", "inherit"] });
  const ended = once(child, "exit");
  const detach = (): void => void spawnSync("fusermount", ["-u", "-z", root], { stdio: "ignore" });
  process.once("exit", detach);
  const untilMs = Date.now() + START_MS;
  while ((await stat(root)).dev === outside) {
    if (child.exitCode !== null || Date.now() > untilMs) throw new Error("the FUSE file system does not mount");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return {
    root,
    set,
    async unmount() {
      detach();
      process.off("exit", detach);
      await ended;
      await rm(base, { recursive: true, force: true });
    },
  };
}
