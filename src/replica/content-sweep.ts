import { rm } from "node:fs/promises";
import { join } from "node:path";

import { hexOf, listing, poolName, type ContentDisk, type ContentTree } from "./content-disk.ts";

/** A tree that must stay. */
export interface KeptTree {
  readonly folder: string;
  readonly tree: ContentTree;
}

/** Removes every tree, manifest and temporary file that no kept tree needs. Only one process may work in the directory. */
export async function sweepTrees(disk: ContentDisk, kept: readonly KeptTree[]): Promise<void> {
  const keep = new Set(kept.map(({ folder, tree }) => `${folder}/${hexOf(tree.digest)}`));
  await rm(disk.incoming, { recursive: true, force: true });
  for (const folder of await listing(disk.trees)) {
    for (const name of await listing(join(disk.trees, folder))) {
      if (!keep.has(`${folder}/${name}`)) await rm(join(disk.trees, folder, name), { recursive: true, force: true });
    }
  }
  for (const folder of await listing(disk.manifests)) {
    for (const name of await listing(join(disk.manifests, folder))) {
      if (!keep.has(`${folder}/${name.replace(/\.json$/, "")}`)) await rm(join(disk.manifests, folder, name), { force: true });
    }
  }
  for (const name of await listing(disk.current)) if (name.startsWith(".")) await rm(join(disk.current, name), { force: true });
}

/** Removes pooled files that no kept tree has. Not called while a copy may go on later: what it brought so far is worth keeping. */
export async function sweepPool(disk: ContentDisk, kept: readonly KeptTree[]): Promise<void> {
  const keep = new Set<string>();
  for (const { tree } of kept) for (const [path, file] of tree.files) keep.add(poolName({ path, ...file }));
  for (const part of await listing(disk.pool)) {
    for (const name of await listing(join(disk.pool, part))) {
      if (!keep.has(`${part}/${name}`)) await rm(join(disk.pool, part, name), { force: true });
    }
  }
}
