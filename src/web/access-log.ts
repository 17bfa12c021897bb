import { mkdir, open, readdir, unlink, type FileHandle } from "node:fs/promises";
import { join } from "node:path";

import { FarmError, type Clock } from "../base/index.ts";
import type { AccessEntry, AccessLog } from "./access-entry.ts";
import { AccessLineWriter, w3cPreamble, type AccessFormat } from "./access-line.ts";

/** Where and how requests are written down. */
export interface AccessLogSettings {
  /** Made when it is missing. */
  readonly dir: string;
  readonly format: AccessFormat;
  readonly clock: Clock;
  /** `s-ip` of W3C lines. @default `-` */
  readonly address?: string;
  /** A file is ended at this size. @default 64 MiB */
  readonly maxFileBytes?: number;
  /** The oldest files beyond this number are removed. @default 30 */
  readonly maxFiles?: number;
}

/** An access log on the disk. */
export interface OpenAccessLog extends AccessLog {
  /** Entries that were not written, because the disk was slow, full or gone. */
  readonly dropped: number;
  /** Writes what is waiting. */
  flush(): Promise<void>;
  /** Writes what is waiting and ends; later entries count as dropped. */
  close(): Promise<void>;
}

const FLUSH_BYTES = 64 * 1024;
const FLUSH_MS = 250;
/** Waiting lines beyond this are dropped: the log never holds up a request and never grows in memory. */
const MAX_WAITING = 4 * 1024 * 1024;
const FILE_NAME = /^access-\d{8}-\d{3,}\.(?:log|jsonl)$/;

/** Opens the log: files `access-YYYYMMDD-NNN.log` (`.jsonl` for JSON), by UTC day and size. @throws ACCESS_LOG_UNWRITABLE */
export async function openAccessLog(settings: AccessLogSettings): Promise<OpenAccessLog> {
  const log = new DiskAccessLog(settings);
  try {
    await mkdir(settings.dir, { recursive: true });
    await log.probe();
  } catch (cause) {
    throw new FarmError("ACCESS_LOG_UNWRITABLE", `The access log folder ${settings.dir} cannot be written`, { cause });
  }
  return log;
}

class DiskAccessLog implements OpenAccessLog {
  readonly #settings: AccessLogSettings;
  readonly #lines: AccessLineWriter;
  readonly #maxFileBytes: number;
  #waiting = "";
  #waitingEntries = 0;
  #writing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #file: { readonly handle: FileHandle; readonly day: string; bytes: number } | undefined;
  #closed = false;
  dropped = 0;

  constructor(settings: AccessLogSettings) {
    this.#settings = settings;
    this.#lines = new AccessLineWriter(settings.format, settings.address ?? "-");
    this.#maxFileBytes = settings.maxFileBytes ?? 64 * 1024 * 1024;
  }

  record(entry: AccessEntry): void {
    if (this.#closed || this.#waiting.length >= MAX_WAITING) {
      this.dropped += 1;
      return;
    }
    this.#waiting += this.#lines.line(entry, this.#settings.clock.now());
    this.#waitingEntries += 1;
    if (this.#waiting.length >= FLUSH_BYTES) void this.flush();
    else if (this.#timer === undefined) {
      this.#timer = setTimeout(() => void this.flush(), FLUSH_MS);
      this.#timer.unref();
    }
  }

  /** Opens today's file, so that a folder that cannot be written is known at the start. */
  async probe(): Promise<void> {
    await this.#current(0);
  }

  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing ??= this.#drain().finally(() => (this.#writing = undefined));
    return this.#writing;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.flush();
    // What came while an earlier write was under way.
    await this.flush();
    await this.#file?.handle.close();
    this.#file = undefined;
  }

  async #drain(): Promise<void> {
    while (this.#waiting !== "") {
      const bytes = Buffer.from(this.#waiting, "utf8");
      const entries = this.#waitingEntries;
      this.#waiting = "";
      this.#waitingEntries = 0;
      try {
        const file = await this.#current(bytes.length);
        await file.handle.appendFile(bytes);
        file.bytes += bytes.length;
      } catch {
        // Counted; the file is opened anew for the next lines, which may find room again.
        this.dropped += entries;
        await this.#end();
      }
    }
  }

  async #current(more: number): Promise<{ readonly handle: FileHandle; bytes: number }> {
    const day = new Date(this.#settings.clock.now()).toISOString().slice(0, 10).replaceAll("-", "");
    const present = this.#file;
    if (present !== undefined && present.day === day && present.bytes + more <= this.#maxFileBytes) return present;
    await this.#end();
    const names = await this.#names();
    const file = await this.#open(day, names, more);
    this.#file = file;
    await this.#removeOldest(names);
    return file;
  }

  /** Goes on with the day's last file when it has room. */
  async #open(day: string, names: readonly string[], more: number): Promise<{ handle: FileHandle; day: string; bytes: number }> {
    const { dir, format, clock } = this.#settings;
    const extension = format === "json" ? "jsonl" : "log";
    const ofDay = names.filter((name) => name.startsWith(`access-${day}-`) && name.endsWith(`.${extension}`));
    let number = Math.max(1, ...ofDay.map((name) => Number(name.slice(16).split(".", 1)[0])));
    for (;;) {
      const handle = await open(join(dir, `access-${day}-${String(number).padStart(3, "0")}.${extension}`), "a", 0o640);
      const { size } = await handle.stat();
      if (size === 0 || size + more <= this.#maxFileBytes) {
        // Each opening tells the fields again, as IIS does: readers need not look further back.
        const preamble = format === "w3c" ? w3cPreamble(clock.now()) : "";
        await handle.appendFile(preamble);
        return { handle, day, bytes: size + preamble.length };
      }
      await handle.close();
      number += 1;
    }
  }

  async #end(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.handle.close().catch(() => undefined);
  }

  async #names(): Promise<readonly string[]> {
    return (await readdir(this.#settings.dir)).filter((name) => FILE_NAME.test(name)).sort();
  }

  async #removeOldest(names: readonly string[]): Promise<void> {
    const surplus = names.length + 1 - (this.#settings.maxFiles ?? 30);
    for (const name of names.slice(0, Math.max(0, surplus))) await unlink(join(this.#settings.dir, name)).catch(() => undefined);
  }
}
