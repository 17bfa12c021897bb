import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";

import { FarmError, instant, systemCode, type Instant, type Log } from "../../base/index.ts";
import {
  checkFiles,
  noPasswords,
  openPasswords,
  type NamedBytes,
  type PasswordSource,
  type WorkerSettings,
} from "../../certificates/index.ts";
import type { CentralFile, Gap } from "../../doctor/index.ts";
import { eachBounded } from "./each-bounded.ts";

/** A folder of central certificates on this machine, and how it is read. */
export interface ShareSettings {
  readonly folder: string;
  /** A file whose first line is the password. */
  readonly passwordFile?: string;
  readonly now: Instant;
  readonly log: Log;
  readonly workers?: WorkerSettings;
  readonly signal?: AbortSignal;
  readonly onProgress: (progress: { readonly done: number; readonly total: number }) => void;
}

/** What a folder of central certificates holds. */
export interface ShareReading {
  readonly files: readonly CentralFile[];
  readonly gaps: readonly Gap[];
}

const CERTIFICATE = /\.(pfx|p12|pem|crt|cer)$/i;
const MAX_FILES = 50_000;
const MAX_BYTES = 1 << 20;
/** Files whose octets are in memory at a time. */
const AT_ONCE = 64;

/** Lists and opens the certificate files of a folder. @throws DOCTOR_FILE_UNREADABLE, CERTIFICATES_PASSWORDS_INVALID */
export async function readShare(settings: ShareSettings): Promise<ShareReading> {
  const { folder, signal, onProgress } = settings;
  const names = await readdir(folder).catch((error: unknown) => {
    throw new FarmError("DOCTOR_FILE_UNREADABLE", `${folder} cannot be listed: ${systemCode(error) ?? String(error)}`, { cause: error });
  });
  const listed = names.filter((name) => CERTIFICATE.test(name)).toSorted();
  const chosen = listed.slice(0, MAX_FILES);
  const passwords = await passwordsOf(settings);
  const files: CentralFile[] = [];
  for (let at = 0; at < chosen.length; at += AT_ONCE) {
    if (signal?.aborted === true) break;
    files.push(...(await readBatch(settings, passwords, chosen.slice(at, at + AT_ONCE))));
    onProgress({ done: files.length, total: chosen.length });
  }
  const left = listed.length - files.length;
  return { files, gaps: left === 0 ? [] : [{ what: "files", why: `${left} of ${listed.length} files of ${folder} were not opened` }] };
}

/** Without a password, files that have none open nevertheless. */
async function passwordsOf({ passwordFile, log }: Pick<ShareSettings, "passwordFile" | "log">): Promise<PasswordSource> {
  return passwordFile === undefined ? noPasswords : openPasswords({ environment: { CERTFARM_PFX_PASSWORD_FILE: passwordFile }, log });
}

type Seen = CentralFile & { readonly octets?: NamedBytes };

async function readBatch(settings: ShareSettings, passwords: PasswordSource, names: readonly string[]): Promise<readonly CentralFile[]> {
  const seen = await eachBounded(names, AT_ONCE, (name) => see(settings.folder, name));
  const { now, workers } = settings;
  const openable = seen.flatMap(({ octets }) => (octets === undefined ? [] : [octets]));
  const checked = await checkFiles(openable, { passwords, now, ...(workers === undefined ? {} : { workers }) });
  const readings = new Map(checked.map(({ file, ...reading }) => [file, reading]));
  return seen.map(({ octets, ...file }) => {
    const reading = octets === undefined ? undefined : readings.get(octets.file);
    return reading === undefined ? file : { ...file, reading };
  });
}

async function see(folder: string, name: string): Promise<Seen> {
  const path = join(folder, name);
  try {
    const { size, mtimeMs } = await stat(path);
    const known = { name, size, modifiedAt: instant(Math.round(mtimeMs)) };
    if (size > MAX_BYTES) return known;
    const bytes = await readFile(path);
    const keyBytes = /\.(pem|crt|cer)$/i.test(name) ? await readFile(path.replace(/\.[^.]*$/, ".key")).catch(() => undefined) : undefined;
    const digest = createHash("sha256").update(bytes).digest("hex").toUpperCase();
    return { ...known, digest, access: "readable", octets: { file: name, bytes, ...(keyBytes === undefined ? {} : { keyBytes }) } };
  } catch (error) {
    const isDenied = systemCode(error) === "EACCES" || systemCode(error) === "EPERM";
    return { name, size: 0, access: isDenied ? "denied" : "failed" };
  }
}
