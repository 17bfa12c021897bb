import { createHash } from "node:crypto";
import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";

import { FarmError, systemCode, toFarmError, type Log } from "../base/index.ts";
import { openOwnKey, seal, unseal } from "../secrets/index.ts";
import type { Covered } from "./covering.ts";
import { inventory, openCopy, sealCopy, type KeptCopy } from "./kept-copy.ts";
import { replaceFile } from "./replace-file.ts";

/**
 * What a node needs of the central certificates when the store is gone, on its own disk. Everything is sealed with a key that only
 * this node has; a copy that was tampered with, or moved to another name, is as good as absent. Writing never delays a caller:
 * failures are logged.
 */
export interface KeptCopies {
  get(file: string): Promise<KeptCopy | undefined>;
  put(copy: KeptCopy): void;
  /** Removes the copies of files that are not listed any longer. */
  retain(isListed: (file: string) => boolean): void;
  listing(): Promise<readonly string[] | undefined>;
  putListing(names: Iterable<string>): void;
  covering(): Promise<ReadonlyMap<string, Covered>>;
  putCovering(entries: Iterable<readonly [string, Covered]>): void;
  /** Resolves when everything that was put is on the disk. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** Settings of openKeptCopies. */
export interface KeptSettings {
  /** A folder of the node's own; made with mode 0700. */
  readonly folder: string;
  readonly log: Log;
  /** @default 2,000 */
  readonly maxCopies?: number;
  /** @default 64 MiB */
  readonly maxBytes?: number;
}

/** How long changes of the listing are gathered before they are written. */
const SETTLE_MS = 5_000;
/** Looking through the copies of an earlier run waits until the start is over. */
const INVENTORY_AFTER_MS = 2_000;
/** Copies that may wait to be written; more are left out and kept when they are read the next time. */
const MAX_PENDING = 4_096;
/** Opens or makes the folder. @throws CERTIFICATES_KEPT_UNUSABLE */
export async function openKeptCopies(settings: KeptSettings): Promise<KeptCopies> {
  const copies = join(settings.folder, "copies");
  return new DiskCopies(settings, copies, await prepareFolder(settings.folder, copies));
}

async function prepareFolder(folder: string, copies: string): Promise<Uint8Array> {
  const key = await openOwnKey(folder);
  await mkdir(copies, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
    throw new FarmError("CERTIFICATES_KEPT_UNUSABLE", `${copies} cannot be made (${systemCode(error) ?? "unknown"})`, { cause: error });
  });
  return key;
}

class DiskCopies implements KeptCopies {
  readonly #folder: string;
  readonly #copies: string;
  readonly #key: Uint8Array;
  readonly #log: Log;
  readonly #maxCopies: number;
  readonly #maxBytes: number;
  /** File → size of its copy; the least recently used first. */
  readonly #sizes = new Map<string, number>();
  #total = 0;
  #pending = 0;
  readonly #later = new Map<string, () => string>();
  #timer: NodeJS.Timeout | undefined;
  #inventoryTimer: NodeJS.Timeout | undefined;
  #isListed = (_file: string): boolean => true;
  #last: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(settings: KeptSettings, copies: string, key: Uint8Array) {
    this.#folder = settings.folder;
    this.#copies = copies;
    this.#key = key;
    this.#log = settings.log;
    this.#maxCopies = settings.maxCopies ?? 2_000;
    this.#maxBytes = settings.maxBytes ?? 64 << 20;
    this.#inventoryTimer = setTimeout(() => this.#takeInventory(), INVENTORY_AFTER_MS).unref();
  }

  async get(file: string): Promise<KeptCopy | undefined> {
    const bytes = await readFile(this.#pathOf(file)).catch(() => undefined);
    if (bytes === undefined) return undefined;
    const copy = openCopy(this.#key, bytes, file);
    if (copy === undefined) this.#log.warn("the node's own copy of a certificate was damaged and is not used", { file });
    else if (this.#sizes.has(file)) this.#enter(file, bytes.byteLength);
    return copy;
  }

  put(copy: KeptCopy): void {
    this.#inTurn(copy.file, async () => {
      const bytes = sealCopy(this.#key, copy);
      await replaceFile(this.#pathOf(copy.file), bytes);
      this.#enter(copy.file, bytes.byteLength);
      await this.#trim();
    });
  }

  retain(isListed: (file: string) => boolean): void {
    this.#isListed = isListed;
    if (this.#inventoryTimer === undefined) this.#inTurn("copies", () => this.#leaveUnlisted());
  }

  async listing(): Promise<readonly string[] | undefined> {
    return (await this.#readSealed("listing"))?.toString("utf8").split("\n").filter(Boolean);
  }

  putListing(names: Iterable<string>): void {
    this.#writeLater("listing", () => [...names].join("\n"));
  }

  async covering(): Promise<ReadonlyMap<string, Covered>> {
    const plain = await this.#readSealed("covering");
    const entries = plain === undefined ? [] : (JSON.parse(plain.toString("utf8")) as [string, Covered][]); // sealed by us
    return new Map(entries);
  }

  putCovering(entries: Iterable<readonly [string, Covered]>): void {
    this.#writeLater("covering", () => JSON.stringify([...entries]));
  }

  flush(): Promise<void> {
    this.#takeInventory();
    this.#writeNow();
    return this.#last;
  }

  async close(): Promise<void> {
    await this.flush();
    this.#closed = true;
  }

  #pathOf(file: string): string {
    return join(this.#copies, createHash("sha256").update(file).digest("hex"));
  }

  #enter(file: string, bytes: number): void {
    this.#total += bytes - (this.#sizes.get(file) ?? 0);
    this.#sizes.delete(file);
    this.#sizes.set(file, bytes);
  }

  async #leave(file: string): Promise<void> {
    this.#total -= this.#sizes.get(file) ?? 0;
    this.#sizes.delete(file);
    await rm(this.#pathOf(file), { force: true });
  }

  /** Once: learns what an earlier run left. Copies that were put meanwhile are the more recent ones. */
  #takeInventory(): void {
    if (this.#inventoryTimer === undefined) return;
    clearTimeout(this.#inventoryTimer);
    this.#inventoryTimer = undefined;
    this.#inTurn("copies", async () => {
      const found = await inventory(this.#copies, this.#maxCopies * 2);
      const recent = [...this.#sizes];
      for (const { file, bytes } of found) this.#enter(file, bytes);
      for (const [file, bytes] of recent) this.#enter(file, bytes);
      await this.#leaveUnlisted();
      await this.#trim();
    });
  }

  async #leaveUnlisted(): Promise<void> {
    for (const file of this.#sizes.keys()) if (!this.#isListed(file)) await this.#leave(file);
  }

  async #trim(): Promise<void> {
    for (const file of this.#sizes.keys()) {
      if (this.#sizes.size <= this.#maxCopies && this.#total <= this.#maxBytes) return;
      await this.#leave(file);
    }
  }

  /** One write after the other; a failure is told and does not stop the next. */
  #inTurn(what: string, task: () => Promise<void>): void {
    if (this.#closed || this.#pending >= MAX_PENDING) return;
    this.#pending += 1;
    const written = this.#last.then(task).catch((error: unknown) => {
      this.#log.warn("the node's own copy of certificates cannot be written", { what, problem: toFarmError(error).message });
    });
    this.#last = written.finally(() => {
      this.#pending -= 1;
    });
  }

  async #readSealed(name: string): Promise<Buffer | undefined> {
    const bytes = await readFile(join(this.#folder, name)).catch(() => undefined);
    const plain = bytes === undefined ? undefined : unseal(this.#key, bytes, name);
    if (bytes !== undefined && plain === undefined) this.#log.warn("the node's own copy was damaged and is not used", { name });
    return plain === undefined ? undefined : promisify(gunzip)(plain);
  }

  /** Large and often changed: several changes become one write. */
  #writeLater(name: string, text: () => string): void {
    if (this.#closed) return;
    this.#later.set(name, text);
    this.#timer ??= setTimeout(() => this.#writeNow(), SETTLE_MS).unref();
  }

  #writeNow(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const [name, text] of this.#later) {
      this.#inTurn(name, async () => {
        const packed = await promisify(gzip)(text(), { level: 1 });
        await replaceFile(join(this.#folder, name), seal(this.#key, packed, name));
      });
    }
    this.#later.clear();
  }
}
