import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";

import { FarmError, systemCode } from "../base/index.ts";
import type { FarmKeyOptions } from "./farm-key-options.ts";
import { MAX_FARM_KEY_TEXT, parseFarmKey, type FarmKey } from "./farm-key.ts";
import { runKeyCommand } from "./key-command.ts";

/** Everything that a process was told of where its farm key is. The first that is given counts, an option before the environment. */
export interface FarmKeySettings extends FarmKeyOptions {
  /** CERTFARM_FARM_KEY_FILE, CERTFARM_FARM_KEY_COMMAND, CERTFARM_FARM_KEY (the key in base64), CREDENTIALS_DIRECTORY (systemd's, with `farm-key` in it). */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** One place that a farm key comes from. */
export interface FarmKeySource {
  /** For people: `the file /etc/certfarm/farm-key`. */
  readonly where: string;
  /** Whether it may give another key later, and at what cost. */
  readonly kind: "file" | "command" | "fixed";
  /** @throws SECRETS_KEY_INVALID, SECRETS_KEY_COMMAND_FAILED */
  load(): Promise<FarmKey>;
}

/** undefined = this process was given no farm key. @throws USAGE when two are named at once */
export function farmKeySource(settings: FarmKeySettings): FarmKeySource | undefined {
  const { environment = {} } = settings;
  if (settings.file !== undefined && settings.command !== undefined) {
    throw new FarmError("USAGE", "--farm-key-file and --farm-key-command were both given: name one of them");
  }
  if (settings.file !== undefined) return fromFile(settings.file);
  if (settings.command !== undefined) return fromCommand(settings.command);
  const { CERTFARM_FARM_KEY: text, CERTFARM_FARM_KEY_FILE: file, CERTFARM_FARM_KEY_COMMAND: command } = environment;
  if (file !== undefined) return fromFile(file);
  if (command !== undefined) return fromCommand(command);
  if (text !== undefined) return fromText(text);
  const credentials = environment["CREDENTIALS_DIRECTORY"];
  return credentials === undefined ? undefined : fromCredential(join(credentials, "farm-key"));
}

function fromText(text: string): FarmKeySource {
  const where = "the environment variable CERTFARM_FARM_KEY";
  return { where, kind: "fixed", load: async () => parseFarmKey(Buffer.from(text), where) };
}

function fromFile(path: string): FarmKeySource {
  const where = `the file ${path}`;
  return { where, kind: "file", load: async () => parseFarmKey(await readKeyFile(path, 0o077), where) };
}

/** systemd gives credentials to one unit alone, and to its group where the unit says so. */
function fromCredential(path: string): FarmKeySource {
  const where = `systemd's credential ${path}`;
  return { where, kind: "file", load: async () => parseFarmKey(await readKeyFile(path, 0o037), where) };
}

function fromCommand(command: string): FarmKeySource {
  const where = `the command ${command.trim().split(/\s+/, 1)[0] ?? ""}`;
  return { where, kind: "command", load: async () => parseFarmKey(await runKeyCommand(command), where) };
}

/** Mode and contents of the same open file. */
async function readKeyFile(path: string, forbidden: number): Promise<Uint8Array> {
  const invalid = (problem: string, cause?: unknown): FarmError =>
    new FarmError("SECRETS_KEY_INVALID", `the farm key in ${path}: ${problem}`, { facts: { path }, cause });
  // Without O_NONBLOCK a pipe that nobody writes to would hang the start.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: unknown) => {
    throw invalid(
      systemCode(error) === "ENOENT" ? "there is no such file" : `it cannot be read (${systemCode(error) ?? "unknown"})`,
      error,
    );
  });
  try {
    const found = await file.stat();
    if (!found.isFile()) throw invalid("it is not a regular file");
    const mode = found.mode & 0o777;
    if (process.platform !== "win32" && (mode & forbidden) !== 0)
      throw invalid(`others than its user can use it (mode 0${mode.toString(8)}); do: chmod 600 ${path}`);
    const bytes = Buffer.alloc(MAX_FARM_KEY_TEXT + 1);
    const { bytesRead } = await file.read(bytes, 0, bytes.byteLength, 0);
    return bytes.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
