import { corrupt, decodeFields, encodeJson, fieldsOf, listField, numberField, textField } from "./state-json.ts";
import type { Manifest, ManifestFile } from "./types.ts";

/** Most files of one folder: what a manifest and a node's memory can carry. */
export const MAX_FILES = 250_000;
/** Longest manifest that is read, in bytes. */
export const MAX_MANIFEST_BYTES = 128 * 1024 * 1024;

const MAX_PATH_BYTES = 1024;
const MAX_PART_BYTES = 255;

/**
 * Whether a path of a manifest can become a file below a folder and nowhere else: relative, `/` between its parts, no empty part, no `.`
 * or `..`, no `\`, NUL or other control characters, at most 1024 bytes.
 */
export function isSafePath(path: string): boolean {
  if (path.length === 0 || path.includes("\\") || hasControl(path) || Buffer.byteLength(path) > MAX_PATH_BYTES) return false;
  return path.split("/").every((part) => part !== "" && part !== "." && part !== ".." && Buffer.byteLength(part) <= MAX_PART_BYTES);
}

/** Half a surrogate pair counts too: it becomes another name on the disk. */
const hasControl = (text: string): boolean => /[\p{Cc}\p{Cs}]/u.test(text);

/** A folder's name: one safe part that is not hidden. */
export const isSafeFolder = (name: string): boolean => isSafePath(name) && !name.includes("/") && !name.startsWith(".");

/** The manifest's one form as bytes: files by path in code-unit order, so that equal content has an equal digest. */
export function encodeManifest(manifest: Manifest): Uint8Array {
  const files = manifest.files.map(({ path, size, sha256, mtimeMs }) => ({ path, size, sha256, mtimeMs })).sort(byPath);
  return encodeJson({ folder: manifest.folder, files });
}

const byPath = (one: ManifestFile, other: ManifestFile): number => (one.path < other.path ? -1 : one.path > other.path ? 1 : 0);

/** @throws STORE_CORRUPT for a path that is not safe, a path told twice or used as a folder too, another folder's manifest, too many files */
export function decodeManifest(bytes: Uint8Array, folder: string): Manifest {
  const where = `manifest of content/${folder}`;
  const fields = decodeFields(bytes, where);
  if (textField(fields, "folder", where) !== folder) throw corrupt(where, "it is of another folder");
  const list = listField(fields, "files", where);
  if (list.length > MAX_FILES) throw corrupt(where, `it names more than ${MAX_FILES} files`);
  const files = list.map((item) => decodeFile(item, where));
  refuseClashes(files, where);
  return { folder, files };
}

function decodeFile(item: unknown, where: string): ManifestFile {
  const fields = fieldsOf(item, where);
  const path = textField(fields, "path", where);
  if (!isSafePath(path)) throw corrupt(where, `${JSON.stringify(path.slice(0, 200))} is not a path inside the folder`);
  const sha256 = textField(fields, "sha256", where);
  if (!/^[0-9a-f]{64}$/.test(sha256)) throw corrupt(where, `${JSON.stringify(path)} has no SHA-256`);
  return { path, sha256, size: numberField(fields, "size", where), mtimeMs: Math.floor(numberField(fields, "mtimeMs", where)) };
}

function refuseClashes(files: readonly ManifestFile[], where: string): void {
  const paths = new Set(files.map(({ path }) => path));
  if (paths.size !== files.length) throw corrupt(where, "it names a path twice");
  for (const path of paths) {
    for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) {
      if (paths.has(path.slice(0, end))) throw corrupt(where, `${JSON.stringify(path.slice(0, end))} is a file and a folder`);
    }
  }
}
