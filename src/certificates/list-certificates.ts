import { FarmError, parseHostName, patternCovers, type Instant } from "../base/index.ts";
import type { FileKnowledge } from "../handshake/index.ts";
import { parseFileName, type CertificateFileName, type FileReading } from "../pki/index.ts";
import type { Folder } from "../store/index.ts";
import { DEFAULT_LIMITS } from "./central-state.ts";
import { withoutSecrets } from "./check-files.ts";
import { fetchFile, type FetchSource } from "./fetch-file.ts";
import { leafOf } from "./known-file.ts";
import { Listing } from "./listing.ts";
import { matchesGlob } from "./password-lookup.ts";
import type { PasswordSource } from "./passwords.ts";
import { ReadingPool, type WorkerSettings } from "./reading-pool.ts";
import { findShadows } from "./shadowing.ts";
import type { FileListing } from "./types.ts";
import { warningsOf } from "./warnings.ts";

/** What to list. */
export interface ListSettings {
  readonly folder: Folder;
  readonly passwords: PasswordSource;
  readonly now: Instant;
  /** A host name (files that answer for it by their names) or a pattern of file names with `*` and `?`. */
  readonly filter?: string;
  /** Called after each file. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
  readonly signal?: AbortSignal;
  readonly workers?: WorkerSettings;
}

/** Groups that are read ahead of the one that is handed out. */
const AHEAD = 4;

/**
 * Opens every certificate file and tells what it is, what its name promises, and which files lose against others of the same name.
 * Files come by name, those of one host together; what is held at a time is bounded. @throws STORE_UNAVAILABLE, CANCELLED
 */
export async function* listCertificates(settings: ListSettings): AsyncGenerator<FileListing> {
  const listing = new Listing();
  await listing.replace(await settings.folder.names());
  const groups = groupByName([...listing.names()], settings.filter);
  const total = groups.reduce((sum, group) => sum + group.length, 0);
  const pool = new ReadingPool(settings.workers);
  const source: FetchSource = {
    folder: settings.folder,
    maxBytes: DEFAULT_LIMITS.maxFileBytes,
    keyFileOf: (file) => listing.keyFileOf(file),
  };
  const reading: Promise<readonly FileListing[]>[] = [];
  const begin = (at: number): void => {
    const group = groups[at];
    if (group === undefined) return;
    const listed = listGroup({ settings, source, pool }, group);
    listed.catch(() => {}); // told when its turn comes
    reading.push(listed);
  };
  let done = 0;
  try {
    for (let at = 0; at < AHEAD; at += 1) begin(at);
    for (let at = 0; at < groups.length; at += 1) {
      begin(at + AHEAD);
      for (const file of (await reading.shift()) ?? []) {
        if (settings.signal?.aborted === true) throw new FarmError("CANCELLED", "Listing the certificates was cancelled");
        done += 1;
        settings.onProgress?.({ done, total });
        yield file;
      }
    }
  } finally {
    await pool.close();
  }
}

type Named = CertificateFileName;

/** Files of one promised name together, in the order of names; a name that serves nobody is a group of its own. */
function groupByName(names: readonly string[], filter: string | undefined): readonly (readonly Named[])[] {
  const groups = new Map<string, Named[]>();
  const wanted = filterOf(filter);
  for (const file of names) {
    const name = parseFileName(file);
    if (name === undefined || !wanted(name)) continue;
    const key = name.pattern ?? `\u{10FFFF}${file}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [name]);
    else group.push(name);
  }
  const sorted = [...groups.entries()].sort(([a], [b]) => (a < b ? -1 : 1));
  return sorted.map(([, group]) => group.sort((a, b) => (a.file < b.file ? -1 : 1)));
}

function filterOf(filter: string | undefined): (name: Named) => boolean {
  if (filter === undefined) return () => true;
  const host = parseHostName(filter);
  const glob = filter.normalize("NFC").toLowerCase();
  return ({ file, pattern }) => {
    if (host !== undefined && pattern !== undefined && patternCovers(pattern, host)) return true;
    return matchesGlob(glob, file.normalize("NFC").toLowerCase());
  };
}

interface Reader {
  readonly settings: ListSettings;
  readonly source: FetchSource;
  readonly pool: ReadingPool;
}

async function listGroup(reader: Reader, group: readonly Named[]): Promise<readonly FileListing[]> {
  const { settings, source } = reader;
  const found: { name: Named; reading: FileReading }[] = [];
  for (const name of group) {
    const reading = await readOne(reader, name.file);
    if (reading !== undefined) found.push({ name, reading });
  }
  const serving = found.filter(({ name }) => name.pattern !== undefined);
  const shadows = findShadows(
    serving.map(({ name, reading }) => knowledgeOf(name.file, reading)),
    settings.now,
  );
  return found.map(({ name, reading }) => {
    const shadow = shadows.get(name.file);
    const hasKeyFile = source.keyFileOf(name.file) !== undefined;
    return {
      file: name.file,
      reading: withoutSecrets(reading),
      promises: name.pattern === undefined ? [] : [name.pattern],
      ...(shadow === undefined ? {} : { shadowedBy: shadow }),
      warnings: warningsOf({ name, reading, hasKeyFile, now: settings.now }),
    };
  });
}

/** undefined: it went away since the folder was listed. */
async function readOne({ settings, source, pool }: Reader, file: string): Promise<FileReading | undefined> {
  const fetched = await fetchFile(source, file);
  if (fetched.kind === "absent") return undefined;
  if (fetched.kind === "failed") return fetched.reading;
  const { bytes, keyBytes } = fetched;
  const key = keyBytes === undefined ? {} : { keyBytes };
  return pool.read({ bytes, ...key, passwords: settings.passwords.for(file), now: settings.now });
}

function knowledgeOf(file: string, reading: FileReading): FileKnowledge {
  const leaf = leafOf(reading);
  if (leaf !== undefined) return { file, state: "usable", leaf };
  return { file, state: "unusable", status: reading.status, problem: reading.problem ?? reading.status };
}
