import { randomUUID } from "node:crypto";
import { watch, type BigIntStats, type FSWatcher } from "node:fs";
import { appendFile, open, stat, readdir, unlink, writeFile, type FileHandle } from "node:fs/promises";
import { join } from "node:path";

import { systemCode, type Clock, type Log } from "../../../base/index.ts";
import type { Bell } from "../../bell.ts";
import { partName } from "./key-path.ts";

/**
 * Quick word of changes: after a write the writer appends the key's directory to `state/notify/<first part of the key>`. On a local
 * disk the kernel tells the others at once, and they look at that key alone; elsewhere they see the file grow with their next poll.
 * It is only ever a hint (appends of several machines may overwrite each other): watches look at everything now and then too.
 */
export interface Notify {
  touch(top: string, directory: string): Promise<void>;
  /** What was said since `before`, about one first part of keys or (undefined) about all. */
  read(top: string | undefined, before: NotifyPosition | undefined): Promise<NotifyNews>;
  /** Rings at touches below `top` (undefined = all), until the returned function is called. */
  subscribe(top: string | undefined, bell: Bell): () => void;
  /** Starts watching, again when the directory was replaced or events failed; looks at most every REVIVE_MS. Called with every poll. */
  revive(): Promise<void>;
  close(): void;
}

/** A place in a notify file. */
export interface NotifyPosition {
  /** Names the file: it begins anew when it has grown too large. */
  readonly id: string;
  readonly offset: number;
  /** What the file looked like: one that looks the same has nothing new. */
  readonly stamp: string;
}

/** `directories` undefined = it cannot be told what changed. */
interface NotifyNews {
  readonly position: NotifyPosition;
  readonly directories: readonly string[] | undefined;
}

/** A notify file is begun anew beyond this. */
const MAX_BYTES = 256 * 1024;
/** More news than this are not read: looking at everything is as quick. */
const MAX_NEWS = 64 * 1024;
const ID_LINE = /^#([0-9a-f-]{36})\n$/;
const ID_LENGTH = 38;
/** Nothing but what partName makes: a line can never lead elsewhere. */
const DIRECTORY = /^[a-z0-9_%-][a-z0-9_.%-]*(?:\/[a-z0-9_%-][a-z0-9_.%-]*)*$/;

const NOTHING: NotifyPosition = { id: "", offset: 0, stamp: "" };
const REVIVE_MS = 500;

/** Word of changes through a directory. */
export function createNotify(directory: string, log: Log, clock: Clock): Notify {
  const bells = new Map<Bell, string | undefined>();
  let watcher: FSWatcher | undefined;
  let watched: string | undefined;
  let isClosed = false;
  let revivedMs = Number.NEGATIVE_INFINITY;

  function onEvent(name: string | null): void {
    for (const [bell, top] of bells) if (name === null || top === undefined || top === name) bell.ring();
  }

  function start(identity: string): void {
    watcher?.close();
    watched = identity;
    try {
      watcher = watch(directory, { persistent: false }, (_event, name) => onEvent(name));
      watcher.on("error", () => {
        watcher?.close();
        watched = undefined; // the next poll starts again
      });
    } catch (error) {
      watcher = undefined;
      log.warn("the store is polled only: no file events", { directory, errno: systemCode(error) });
    }
  }

  return {
    async touch(top, changed) {
      const file = join(directory, partName(top));
      try {
        await leaveWord(file, `${changed}\n`);
      } catch (error) {
        log.debug("no word of a change could be left", { file, errno: systemCode(error) });
      }
    },
    async read(top, before) {
      if (top !== undefined) return readNews(join(directory, partName(top)), before);
      const stamps = await Promise.all((await readdir(directory)).sort().map((name) => sizeStamp(directory, name)));
      return { position: { id: stamps.join(), offset: 0, stamp: "" }, directories: undefined };
    },
    subscribe(top, bell) {
      bells.set(bell, top === undefined ? undefined : partName(top));
      return () => bells.delete(bell);
    },
    async revive() {
      const nowMs = clock.monotonicMs();
      if (nowMs - revivedMs < REVIVE_MS && watched !== undefined) return;
      revivedMs = nowMs;
      const found = await stat(directory, { bigint: true });
      const identity = `${found.dev}:${found.ino}`;
      if (identity !== watched && !isClosed) start(identity);
    },
    close() {
      isClosed = true;
      watcher?.close();
    },
  };
}

async function leaveWord(file: string, line: string): Promise<void> {
  const size = await stat(file).then(
    (found) => found.size,
    () => -1,
  );
  if (size > MAX_BYTES) await unlink(file).catch(() => undefined);
  if (size >= 0 && size <= MAX_BYTES) return appendFile(file, line, { mode: 0o600 });
  try {
    await writeFile(file, `#${randomUUID()}\n${line}`, { flag: "ax", mode: 0o600 });
  } catch (error) {
    if (systemCode(error) !== "EEXIST") throw error;
    await appendFile(file, line, { mode: 0o600 });
  }
}

const sizeStamp = async (directory: string, name: string): Promise<string> => `${name} ${await fileStamp(join(directory, name))}`;

const stampOf = (found: BigIntStats): string => `${found.ino} ${found.size} ${found.mtimeNs}`;

/** Empty when there is none. */
async function fileStamp(path: string): Promise<string> {
  try {
    return stampOf(await stat(path, { bigint: true }));
  } catch (error) {
    if (systemCode(error) === "ENOENT") return "";
    throw error;
  }
}

async function readNews(path: string, before: NotifyPosition | undefined): Promise<NotifyNews> {
  if (before !== undefined && before.stamp !== "" && (await fileStamp(path)) === before.stamp) return { position: before, directories: [] };
  let file: FileHandle;
  try {
    file = await open(path, "r");
  } catch (error) {
    if (systemCode(error) === "ENOENT") return { position: NOTHING, directories: undefined };
    throw error;
  }
  try {
    return await newsIn(file, before);
  } finally {
    await file.close();
  }
}

async function newsIn(file: FileHandle, before: NotifyPosition | undefined): Promise<NotifyNews> {
  const id = ID_LINE.exec(await textAt(file, 0, ID_LENGTH))?.[1] ?? "";
  const found = await file.stat({ bigint: true });
  const size = Number(found.size);
  const position = { id, offset: size, stamp: stampOf(found) };
  const isContinued = before !== undefined && id !== "" && before.id === id && before.offset <= size;
  if (!isContinued || size - before.offset > MAX_NEWS) return { position, directories: undefined };
  const news = await textAt(file, before.offset, size - before.offset);
  return news === "" || news.endsWith("\n") ? { position, directories: linesOf(news) } : { position, directories: undefined };
}

async function textAt(file: FileHandle, position: number, length: number): Promise<string> {
  if (length === 0) return "";
  const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, position);
  return buffer.toString("latin1", 0, bytesRead);
}

function linesOf(news: string): readonly string[] | undefined {
  const lines = [...new Set(news.split("\n").slice(0, -1))];
  return lines.every((line) => DIRECTORY.test(line)) ? lines : undefined;
}
