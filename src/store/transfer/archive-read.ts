import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";

import { extract, type Extract } from "tar-stream";

import { FarmError, systemCode } from "../../base/index.ts";
import { CHAIN_RECORD, DIGEST_RECORD, END_NAME, FORM, HEAD_NAME, nextChain } from "./archive.ts";

type Entry = Extract extends AsyncIterable<infer One> ? One : never;

/** The first entry of a backup. */
export interface BackupHead {
  readonly form: number;
  readonly farm: string;
  /** Milliseconds since 1970. */
  readonly madeAt: number;
  /** The store it was made of. */
  readonly from: string;
}

/** An entry between the first and the last one. Its octets must be read to the end before the next one comes. */
export interface ArchiveEntry {
  readonly name: string;
  readonly size: number;
  /** Checked on the way; the last piece comes only when all of them are right. @throws BACKUP_DAMAGED */
  read(): AsyncIterable<Uint8Array>;
}

const MAX_HEAD_BYTES = 64 * 1024;

const damaged = (file: string, entry: string, problem: string): FarmError =>
  new FarmError("BACKUP_DAMAGED", `${file}: ${entry}: ${problem}`, { facts: { file, entry } });

/**
 * Reads a backup from its start to its end and hands out each entry; the head comes to `onHead` before.
 * @throws BACKUP_DAMAGED with the name of the first entry that is wrong @throws STORE_NEWER @throws INPUT_FILE_UNUSABLE
 */
export async function readArchive(
  file: string,
  visit: { readonly onHead: (head: BackupHead) => void; readonly onEntry: (entry: ArchiveEntry) => Promise<void> },
): Promise<void> {
  const tar = extract();
  // Streams of streamx are like those of Node in all that this needs.
  const piped = pipeline(createReadStream(file), tar as unknown as NodeJS.WritableStream);
  piped.catch(() => undefined); // told below, in order
  let last = "the start";
  let chain = "";
  let isWhole = false;
  try {
    for await (const entry of tar) {
      const { name } = entry.header;
      if (isWhole) throw damaged(file, name, "it comes after the end");
      const pieces = checkedEntry(file, entry, chain);
      if (chain === "") visit.onHead(parseHead(file, name, await collect(pieces)));
      else if (name === END_NAME) isWhole = (await collect(pieces)).byteLength >= 0;
      else await visit.onEntry({ name, size: entry.header.size, read: () => pieces });
      for await (const _rest of pieces) continue;
      chain = recordOf(entry, CHAIN_RECORD);
      last = name;
    }
    await piped;
  } catch (error) {
    tar.destroy();
    throw readingError(error, file, last);
  }
  if (!isWhole) throw damaged(file, `after ${last}`, "it is cut off");
}

function readingError(error: unknown, file: string, last: string): unknown {
  if (error instanceof FarmError) return error;
  const code = systemCode(error);
  if (code !== undefined && /^E[A-Z]+$/.test(code))
    return new FarmError("INPUT_FILE_UNUSABLE", `${file} cannot be read: ${code}`, { cause: error, facts: { file } });
  const problem = error instanceof Error ? error.message : String(error);
  return damaged(file, `after ${last}`, `it is cut off or no tar archive (${problem.slice(0, 100)})`);
}

const recordOf = (entry: Entry, record: string): string => {
  const { pax } = entry.header as { readonly pax?: Readonly<Record<string, string>> | null }; // a table of texts
  return pax?.[record] ?? "";
};

async function* checkedEntry(file: string, entry: Entry, chain: string): AsyncGenerator<Uint8Array> {
  const { name } = entry.header;
  const digest = recordOf(entry, DIGEST_RECORD);
  const expected = nextChain(chain, name, digest);
  if (recordOf(entry, CHAIN_RECORD) !== expected)
    throw damaged(
      file,
      name,
      chain === "" ? "it is no backup of certfarm" : "its name or digest was changed, or an entry before it is missing",
    );
  const hash = createHash("sha256");
  let held: Uint8Array | undefined;
  for await (const piece of entry as AsyncIterable<Uint8Array>) {
    hash.update(piece);
    if (held !== undefined) yield held;
    held = piece;
  }
  if (hash.digest("hex") !== digest) throw damaged(file, name, "its octets are not those that were written");
  if (held !== undefined) yield held;
}

async function collect(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const piece of pieces) parts.push(piece);
  return Buffer.concat(parts);
}

function parseHead(file: string, name: string, bytes: Uint8Array): BackupHead {
  const problem = damaged(file, name, "it is no backup of certfarm");
  if (name !== HEAD_NAME || bytes.byteLength > MAX_HEAD_BYTES) throw problem;
  const head: unknown = JSON.parse(Buffer.from(bytes).toString("utf8")); // its digest was right
  if (!isHead(head)) throw problem;
  if (head.form <= FORM) return head;
  throw new FarmError("STORE_NEWER", `${file} has form ${head.form}; this certfarm knows ${FORM}`, { facts: { file } });
}

function isHead(value: unknown): value is BackupHead {
  if (typeof value !== "object" || value === null) return false;
  const head: Partial<Record<keyof BackupHead, unknown>> = value;
  return typeof head.form === "number" && typeof head.farm === "string" && typeof head.madeAt === "number" && typeof head.from === "string";
}
