import { FarmError, toFarmError } from "../base/index.ts";
import type { FileReading } from "../pki/index.ts";
import type { Folder } from "../store/index.ts";

/** A certificate file's bytes with the `.key` beside it, or why there are none. */
export type FetchedFile =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array; readonly keyBytes?: Uint8Array; readonly stamp: string }
  | { readonly kind: "absent" }
  /** The file is there and cannot be had; `stamp` is empty when not even that could be seen. */
  | { readonly kind: "failed"; readonly reading: FileReading; readonly stamp: string };

/** Where the bytes come from and how many are taken. */
export interface FetchSource {
  readonly folder: Folder;
  readonly maxBytes: number;
  keyFileOf(file: string): string | undefined;
}

const KEY_BESIDE = /\.(pem|crt|cer)$/i;

/** Reads a file and its key file. Unreadable is never told as absent. */
export async function fetchFile(source: FetchSource, file: string): Promise<FetchedFile> {
  const { folder, maxBytes } = source;
  try {
    const main = await folder.read(file, { maxBytes });
    if (main === undefined) return { kind: "absent" };
    const keyFile = KEY_BESIDE.test(file) ? source.keyFileOf(file) : undefined;
    const key = keyFile === undefined ? undefined : await folder.read(keyFile, { maxBytes });
    if (key === undefined) return { kind: "bytes", bytes: main.bytes, stamp: main.stat.stamp };
    return { kind: "bytes", bytes: main.bytes, keyBytes: key.bytes, stamp: joinStamps(main.stat.stamp, key.stat.stamp) };
  } catch (error) {
    return { kind: "failed", reading: readingOf(toFarmError(error)), stamp: (await stampOf(source, file).catch(() => undefined)) ?? "" };
  }
}

/** The stamp that fetchFile would give now; undefined when the file is gone. @throws STORE_UNAVAILABLE */
export async function stampOf(source: FetchSource, file: string): Promise<string | undefined> {
  const stat = await source.folder.stat(file);
  if (stat === undefined) return undefined;
  const keyFile = KEY_BESIDE.test(file) ? source.keyFileOf(file) : undefined;
  const key = keyFile === undefined ? undefined : await source.folder.stat(keyFile);
  return key === undefined ? stat.stamp : joinStamps(stat.stamp, key.stamp);
}

/** A pair has changed when either of its files has. */
function joinStamps(main: string, key: string): string {
  return `${main}+${key}`;
}

function readingOf(error: FarmError): FileReading {
  if (error.code === "STORE_VALUE_TOO_LARGE") {
    const remedy = "A certificate file holds a key and a few certificates only: export it again without other contents.";
    return { status: "too-costly", problem: `it is larger than certificate files may be: ${error.message}`, remedy };
  }
  return { status: "unreadable", problem: error.message, remedy: error.remedy };
}
