import { randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { rename, rm, stat, writeFile } from "node:fs/promises";

import { FarmError, systemCode } from "../base/index.ts";

/** Reads a text file of the operator's; `-` = standard input. @throws INPUT_FILE_UNUSABLE when it cannot be read or is larger than `most` bytes */
export async function readInputFile(path: string, most: number): Promise<string> {
  return (await readInputBytes(path, most)).toString("utf8");
}

/** Reads a file of the operator's as it is; `-` = standard input. @throws INPUT_FILE_UNUSABLE */
export async function readInputBytes(path: string, most: number): Promise<Buffer> {
  const unusable = (why: string, cause?: unknown): FarmError =>
    new FarmError("INPUT_FILE_UNUSABLE", `${path} cannot be read: ${why}`, { facts: { path }, cause });
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of (path === "-" ? process.stdin : createReadStream(path)) as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > most) throw unusable(`it is larger than ${most} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    throw error instanceof FarmError ? error : unusable(systemCode(error) ?? String(error), error);
  }
  return Buffer.concat(chunks);
}

/** A file that may be absent. @throws INPUT_FILE_UNUSABLE when it is there and cannot be read */
export async function readOptionalBytes(path: string, most: number): Promise<Buffer | undefined> {
  const isThere = await stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
  return isThere ? readInputBytes(path, most) : undefined;
}

/** Writes a whole file: a reader sees the old one or the new one. @throws OUTPUT_FILE_UNWRITABLE */
export async function writeOutputFile(path: string, text: string): Promise<void> {
  const draft = `${path}.${randomBytes(4).toString("hex")}.tmp`;
  try {
    await writeFile(draft, text, { flag: "wx" });
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw unwritable(path, error);
  }
}

/** Writes a file that must not be there yet. @throws OUTPUT_FILE_EXISTS, OUTPUT_FILE_UNWRITABLE */
export async function writeNewFile(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text, { flag: "wx" });
  } catch (error) {
    if (systemCode(error) === "EEXIST")
      throw new FarmError("OUTPUT_FILE_EXISTS", `${path} is there already`, { facts: { path }, cause: error });
    throw unwritable(path, error);
  }
}

const unwritable = (path: string, cause: unknown): FarmError =>
  new FarmError("OUTPUT_FILE_UNWRITABLE", `${path} cannot be written: ${systemCode(cause) ?? String(cause)}`, { facts: { path }, cause });
