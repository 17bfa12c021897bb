import { randomUUID } from "node:crypto";
import { mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";

import { FarmError, systemCode } from "../base/index.ts";

/**
 * Replaces a folder whole: a crash leaves all files as they were or all of them new (then perhaps under the name `FOLDER.next`, which readers
 * look for first). Files have mode 0600, the folder 0700. @throws IDENTITY_FOLDER_UNUSABLE
 */
export async function saveFolder(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  const draft = `${folder}.${randomUUID()}`;
  try {
    await mkdir(draft, { recursive: true, mode: 0o700 });
    for (const [name, text] of Object.entries(files)) await writeSynced(join(draft, name), text);
    await replaceBy(folder, draft);
  } catch (cause) {
    await rm(draft, { recursive: true, force: true }).catch(() => undefined); // the cause is what matters
    throw unusable(folder, systemCode(cause) ?? String(cause), cause);
  }
}

/** Another process may replace the same folder at this moment: who comes last wins. */
async function replaceBy(folder: string, draft: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await finishReplacing(folder); // what a crash left half done
      await rename(draft, nextOf(folder));
      break;
    } catch (error) {
      if (tries === MAX_TRIES || !AT_ONCE.has(systemCode(error) ?? "")) throw error;
    }
  }
  await finishReplacing(folder).catch((error: unknown) => {
    if (!AT_ONCE.has(systemCode(error) ?? "")) throw error; // the other one finishes it
  });
}

/** What renaming meets when somebody else does the same. */
const AT_ONCE: ReadonlySet<string> = new Set(["ENOTEMPTY", "EEXIST", "ENOENT"]);
const MAX_TRIES = 10;

/** Where a folder's new files are complete before they have its name. */
export const nextOf = (folder: string): string => `${folder}.next`;

async function finishReplacing(folder: string): Promise<void> {
  const next = await stat(nextOf(folder)).catch(() => undefined); // absent, which is the usual case
  if (next === undefined) return;
  await syncFolder(dirname(folder));
  await rm(folder, { recursive: true, force: true });
  await rename(nextOf(folder), folder);
  await syncFolder(dirname(folder));
}

/** Replaces one file of mode 0600 whole (temporary name, fsync, rename). @throws IDENTITY_FOLDER_UNUSABLE */
export async function savePrivateFile(path: string, text: string): Promise<void> {
  const draft = `${path}.${randomUUID()}`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeSynced(draft, text);
    await rename(draft, path);
    await syncFolder(dirname(path));
  } catch (cause) {
    await rm(draft, { force: true }).catch(() => undefined); // the cause is what matters
    throw unusable(path, systemCode(cause) ?? String(cause), cause);
  }
}

/** A file's text; undefined = absent. @throws IDENTITY_FOLDER_UNUSABLE */
export async function readPrivateFile(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    if (systemCode(cause) === "ENOENT" || systemCode(cause) === "ENOTDIR") return undefined;
    throw unusable(path, systemCode(cause) ?? String(cause), cause);
  }
}

async function writeSynced(path: string, text: string): Promise<void> {
  const file = await open(path, "wx", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncFolder(path: string): Promise<void> {
  if (process.platform === "win32") return; // directories cannot be opened there
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** @returns IDENTITY_FOLDER_UNUSABLE naming the path */
export const unusable = (path: string, problem: string, cause?: unknown): FarmError =>
  new FarmError("IDENTITY_FOLDER_UNUSABLE", `${path}: ${problem}`, { facts: { path }, cause });
