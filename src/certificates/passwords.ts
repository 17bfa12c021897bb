import { readFile, stat } from "node:fs/promises";

import { FarmError, Secret, systemCode, toFarmError, type Log } from "../base/index.ts";
import { compiledEntry, runOnce } from "../workers/index.ts";
import { matchesGlob, tableFromWire, type PasswordTable, type WireTable } from "./password-lookup.ts";

/** Where the passwords of certificate files come from. */
export interface PasswordSource {
  /** What to try for a file, most particular first; at most MAX_TRIED. */
  for(file: string): readonly Secret[];
  /** Looks whether the password files changed; true when passwords did. A bad change is logged and the former ones go on. */
  refresh(): Promise<boolean>;
}

/** Settings of openPasswords. Passwords are never part of farm.yaml: that file is shared and shown. */
export interface PasswordSettings {
  /** A YAML or JSON file on the node: see parsePasswordFile. */
  readonly file?: string;
  /** CERTFARM_PFX_PASSWORD: one password for every file. CERTFARM_PFX_PASSWORD_FILE: a file whose first line is that password. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
}

/** Passwords tried for one file: each may cost a full key derivation. */
export const MAX_TRIED = 16;
const MAX_FILE_BYTES = 1 << 20;

/** No passwords at all: files with an empty or no password open nevertheless. */
export const noPasswords: PasswordSource = { for: () => [], refresh: () => Promise.resolve(false) };

/** Passwords that are known already, tried for every file. */
export function fixedPasswords(passwords: readonly Secret[]): PasswordSource {
  return { for: () => passwords.slice(0, MAX_TRIED), refresh: () => Promise.resolve(false) };
}

/**
 * Reads the password file and the environment. There are no password files beside the certificates on purpose: whoever can read
 * the share could then open everything on it. @throws CERTIFICATES_PASSWORDS_INVALID
 */
export async function openPasswords(settings: PasswordSettings): Promise<PasswordSource> {
  const { environment = {}, log } = settings;
  const fromEnvironment = environment["CERTFARM_PFX_PASSWORD"];
  const single = await watchedFile(environment["CERTFARM_PFX_PASSWORD_FILE"], log, (text) => firstLine(text));
  const table = await watchedFile(settings.file, log, readPasswordFile);
  const fixed = fromEnvironment === undefined ? [] : [new Secret(fromEnvironment)];
  return {
    for(file) {
      const name = file.normalize("NFC").toLowerCase();
      const found = [...particular(table.value(), name), ...(table.value()?.everyFile ?? []), ...(single.value() ?? []), ...fixed];
      return distinct(found).slice(0, MAX_TRIED);
    },
    async refresh() {
      const changed = await Promise.all([single.refresh(), table.refresh()]);
      return changed.includes(true);
    },
  };
}

/** Exact names before patterns, each in the file's order. */
function particular(table: PasswordTable | undefined, name: string): readonly Secret[] {
  const rows = (table?.files ?? []).filter((row) => matchesGlob(row.pattern, name));
  const exact = rows.filter((row) => row.pattern === name);
  return [...exact, ...rows.filter((row) => row.pattern !== name)].flatMap((row) => row.passwords);
}

/** Each password once, the first of equals. */
export function distinct(secrets: readonly Secret[]): Secret[] {
  const seen = new Map(secrets.toReversed().map((secret) => [secret.reveal(), secret]));
  return secrets.filter((secret) => seen.get(secret.reveal()) === secret);
}

function firstLine(text: string): readonly Secret[] {
  return [new Secret(text.split(/\r?\n/, 1)[0] ?? "")];
}

const ENTRY = compiledEntry(import.meta.url, "password-worker");
/** A node that starts reads its configuration next, with the same libraries. */
const KEEP_MS = 2_000;

/** Parses in a thread of its own: the YAML parser is only needed when the file changed. @throws CERTIFICATES_PASSWORDS_INVALID */
async function readPasswordFile(text: string, path: string): Promise<PasswordTable> {
  return tableFromWire((await runOnce(ENTRY, { text, path }, KEEP_MS)) as WireTable); // what password-worker posts
}

interface WatchedFile<T> {
  value(): T | undefined;
  refresh(): Promise<boolean>;
}

/** A small file that is read again when it changed. The first reading must succeed. */
async function watchedFile<T>(
  path: string | undefined,
  log: Log,
  parse: (text: string, path: string) => T | Promise<T>,
): Promise<WatchedFile<T>> {
  if (path === undefined) return { value: () => undefined, refresh: () => Promise.resolve(false) };
  let stamp = "";
  let value: T | undefined;
  const load = async (): Promise<boolean> => {
    const seen = await stat(path, { bigint: true });
    const now = `${seen.mtimeNs}.${seen.size}.${seen.ino}.${seen.mode}`;
    if (now === stamp) return false;
    if (seen.size > MAX_FILE_BYTES) throw new FarmError("CERTIFICATES_PASSWORDS_INVALID", `${path} is larger than 1 MiB`);
    stamp = now;
    if ((Number(seen.mode) & 0o077) !== 0) log.warn("a password file can be read by others", { path, remedy: `chmod 600 ${path}` });
    value = await parse(await readFile(path, "utf8"), path);
    return true;
  };
  await load().catch((error: unknown) => {
    if (error instanceof FarmError) throw error;
    throw new FarmError("CERTIFICATES_PASSWORDS_INVALID", `${path} cannot be read (${systemCode(error) ?? "unknown"})`, { cause: error });
  });
  return {
    value: () => value,
    refresh: () =>
      load().catch((error: unknown) => {
        log.warn("a password file cannot be used; the former passwords go on", { path, problem: toFarmError(error).message });
        return false;
      }),
  };
}
