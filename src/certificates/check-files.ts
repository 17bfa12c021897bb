import { readFile, stat } from "node:fs/promises";

import { FarmError, systemCode, type Instant } from "../base/index.ts";
import type { FileFacts, FileReading, FileStatus } from "../pki/index.ts";
import { DEFAULT_LIMITS } from "./central-state.ts";
import type { PasswordSource } from "./passwords.ts";
import { forEachBounded } from "./pause.ts";
import { ReadingPool, type WorkerSettings } from "./reading-pool.ts";

/** What checking found in one file. */
export interface CheckedFile {
  readonly file: string;
  readonly status: FileStatus;
  readonly facts?: FileFacts;
  readonly problem?: string;
  readonly remedy?: string;
}

/** How files are checked. */
export interface CheckSettings {
  readonly passwords: PasswordSource;
  /** What is expired is judged by this. */
  readonly now: Instant;
  readonly workers?: WorkerSettings;
  readonly signal?: AbortSignal;
}

/** A file's bytes, and those of the `.key` that belongs to it. */
export interface NamedBytes {
  readonly file: string;
  readonly bytes: Uint8Array;
  readonly keyBytes?: Uint8Array;
}

type Loaded = NamedBytes | CheckedFile;

const KEY_BESIDE = /\.(pem|crt|cer)$/i;
const AT_ONCE = 3;
const MAX_BYTES = DEFAULT_LIMITS.maxFileBytes;

/** Opens each of some files that the caller has read already. The answers come in the order of the files. @throws CANCELLED */
export function checkFiles(files: readonly NamedBytes[], settings: CheckSettings): Promise<readonly CheckedFile[]> {
  return checkEach(files, settings, (file) =>
    Promise.resolve(file.bytes.byteLength > MAX_BYTES ? tooLarge(file.file, file.bytes.byteLength) : file),
  );
}

/**
 * Reads and opens files of this machine, each with the `.key` beside it. What cannot be read is an answer, not an error; a file that
 * is too large is not read at all. @throws CANCELLED
 */
export function checkCertificateFiles(paths: readonly string[], settings: CheckSettings): Promise<readonly CheckedFile[]> {
  return checkEach(paths, settings, loadFile);
}

async function checkEach<T>(
  items: readonly T[],
  settings: CheckSettings,
  load: (item: T) => Promise<Loaded>,
): Promise<readonly CheckedFile[]> {
  const pool = new ReadingPool(settings.workers);
  const checked = new Map<number, CheckedFile>();
  try {
    await forEachBounded(items.entries(), AT_ONCE, async ([at, item]) => {
      if (settings.signal?.aborted === true) throw new FarmError("CANCELLED", "Checking certificate files was cancelled");
      const loaded = await load(item);
      checked.set(at, "status" in loaded ? loaded : await open(pool, loaded, settings));
    });
  } finally {
    await pool.close();
  }
  return [...checked.entries()].sort(([a], [b]) => a - b).map(([, found]) => found);
}

async function open(pool: ReadingPool, { file, bytes, keyBytes }: NamedBytes, settings: CheckSettings): Promise<CheckedFile> {
  const key = keyBytes === undefined ? {} : { keyBytes };
  const name = file.split(/[/\\]/).at(-1) ?? file;
  return { file, ...withoutSecrets(await pool.read({ bytes, ...key, passwords: settings.passwords.for(name), now: settings.now })) };
}

/** A reading as it may be shown. */
export function withoutSecrets(reading: FileReading): Omit<FileReading, "prepared"> {
  const { prepared: _secret, ...shown } = reading;
  return shown;
}

async function loadFile(file: string): Promise<Loaded> {
  try {
    const found = await stat(file);
    if (!found.isFile())
      return unreadable(file, found.isDirectory() ? "it is a directory" : "it is not a regular file", "Name the files in it.");
    if (found.size > MAX_BYTES) return tooLarge(file, found.size);
    const keyBytes = KEY_BESIDE.test(file) ? await readKey(`${file.slice(0, file.lastIndexOf("."))}.key`) : undefined;
    return { file, bytes: await readFile(file), ...(keyBytes === undefined ? {} : { keyBytes }) };
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOENT") return unreadable(file, "there is no such file", "Check the path.");
    return unreadable(file, `it cannot be read (${code ?? "unknown"})`, "Run the command as a user who may read the file.");
  }
}

async function readKey(path: string): Promise<Uint8Array | undefined> {
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() === true && found.size <= MAX_BYTES ? readFile(path) : undefined;
}

function unreadable(file: string, problem: string, remedy: string): CheckedFile {
  return { file, status: "unreadable", problem, remedy };
}

function tooLarge(file: string, bytes: number): CheckedFile {
  const problem = `it has ${bytes} octets; certificate files have at most ${MAX_BYTES}`;
  return { file, status: "too-costly", problem, remedy: "Export the certificate again without other contents." };
}
