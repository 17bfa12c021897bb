import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";

import { instant } from "../../base/index.ts";
import type { FarmStore } from "../../store/index.ts";
import type { ContentTree } from "../content-disk.ts";
import { pointerKey, writePointer } from "../content-pointer.ts";
import { encodeManifest } from "../manifest.ts";
import type { Manifest } from "../types.ts";

export type Files = Readonly<Record<string, string>>;

const sha256 = (data: string | Uint8Array): string => createHash("sha256").update(data).digest("hex");

/** A manifest of these files, as the duty would make it. */
export function manifestOf(folder: string, files: Files, mtimeMs = 1_700_000_000_000): Manifest {
  const entries = Object.entries(files).map(([path, text]) => ({ path, size: Buffer.byteLength(text), sha256: sha256(text), mtimeMs }));
  return { folder, files: entries };
}

/** Puts files into `content/<folder>/` and removes others that `before` names. */
export async function putFiles(store: FarmStore, folder: string, files: Files): Promise<void> {
  const content = store.folder("content");
  for (const [path, text] of Object.entries(files)) await content.put(`${folder}/${path}`, new TextEncoder().encode(text));
}

/** Publishes a manifest without a duty. Returns its digest. */
export async function publishManifest(store: FarmStore, manifest: Manifest): Promise<string> {
  const bytes = encodeManifest(manifest);
  const digest = await store.state.putBlob(chunks(bytes));
  const key = pointerKey(manifest.folder);
  const before = await store.state.read(key);
  await store.state.write(
    key,
    writePointer(undefined, manifest.folder, { digest, files: manifest.files.length, bytes: 0, at: instant(0) }),
    before?.rev,
  );
  return digest;
}

async function* chunks(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Both at once. */
export async function publishFiles(store: FarmStore, folder: string, files: Files): Promise<string> {
  await putFiles(store, folder, files);
  return publishManifest(store, manifestOf(folder, files));
}

/** What really lies below a tree's root. */
export async function filesOf(tree: ContentTree | undefined): Promise<Files | undefined> {
  if (tree === undefined) return undefined;
  const found: Record<string, string> = {};
  for (const entry of await readdir(tree.root, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) continue;
    const path = join(entry.parentPath, entry.name);
    found[relative(tree.root, path)] = await readFile(path, "utf8");
  }
  return found;
}
