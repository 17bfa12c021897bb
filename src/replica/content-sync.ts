import { rm } from "node:fs/promises";
import { join } from "node:path";

import { FarmError, systemCode, toFarmError, type Instant, type Log } from "../base/index.ts";
import type { Signing } from "../identity/index.ts";
import { copyFolder, type ContentCopy } from "./content-copy.ts";
import { folderOf, POINTER_PREFIX, readPointer, type ContentPointer } from "./content-pointer.ts";
import type { ContentShelf } from "./content-shelf.ts";
import { sweepPool, sweepTrees } from "./content-sweep.ts";
import { isOutage } from "./error-kinds.ts";
import { isSafeFolder } from "./manifest.ts";

/** What a pass works on; it puts trees on the shelf and problems into the map. */
interface SyncParts extends ContentCopy {
  readonly shelf: ContentShelf;
  readonly problems: Map<string, string>;
  /** Absent = a farm without identities. */
  readonly signing: Signing | undefined;
}

const FOLDERS_AT_ONCE = 2;
const NO_ROOM = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);

/** Brings wanted folders into step with the store; one pass at a time. */
export class ContentSync {
  readonly #parts: SyncParts;
  readonly #log: Log;
  #mustSweep = true;
  #isFull = false;
  /** When what was taken last was published, by folder: nobody can put back what an admin signed before. */
  readonly #publishedAt = new Map<string, Instant>();

  constructor(parts: SyncParts) {
    this.#parts = parts;
    this.#log = parts.log;
    parts.shelf.onChange(() => {
      this.#mustSweep = true;
    });
  }

  /** One pass. Throws when the store is away; what is wrong with one folder does not hinder the others. */
  async run(wanted: readonly string[], signal: AbortSignal): Promise<void> {
    const pointers = await readPointers(this.#parts);
    await this.#dropUnwanted(wanted);
    let outage: unknown;
    const waiting = wanted.values();
    const worker = async (): Promise<void> => {
      for (const folder of waiting) {
        try {
          await this.#syncFolder(folder, pointers.get(folder), signal);
        } catch (error) {
          if (signal.aborted) return;
          if (isOutage(error)) outage = error;
          this.#noteFailure(folder, error);
        }
      }
    };
    await Promise.all(Array.from({ length: FOLDERS_AT_ONCE }, worker));
    await this.#sweep();
    if (outage !== undefined) throw outage;
  }

  async #syncFolder(folder: string, pointer: ContentPointer | FarmError | undefined, signal: AbortSignal): Promise<void> {
    if (!isSafeFolder(folder)) return this.#setProblem(folder, "its name cannot be that of a content folder");
    if (pointer === undefined) return this.#setProblem(folder, `content/${folder} is not published (yet): the store has no manifest of it`);
    if (pointer instanceof FarmError) throw pointer;
    const { shelf, signing } = this.#parts;
    const { digest, problem, at, pushed = false } = pointer;
    if (signing !== undefined && at < (this.#publishedAt.get(folder) ?? at))
      return this.#setProblem(folder, "an older publication was put in its place; the newer one is served");
    if (shelf.get(folder)?.digest !== digest) shelf.replace(folder, await copyFolder(this.#parts, { folder, digest, pushed }, signal));
    this.#publishedAt.set(folder, at);
    this.#setProblem(folder, problem);
  }

  #setProblem(folder: string, problem: string | undefined): void {
    const { problems } = this.#parts;
    if (problem === problems.get(folder)) return;
    if (problem === undefined) problems.delete(folder);
    else problems.set(folder, problem);
    if (problem === undefined) this.#log.info("content of this node is in order again", { folder });
    else this.#log.warn("content of this node has a problem", { folder, problem });
  }

  #noteFailure(folder: string, thrown: unknown): void {
    const { message } = toFarmError(thrown);
    const noRoom = NO_ROOM.has(systemCode(thrown) ?? "");
    this.#isFull ||= noRoom;
    this.#setProblem(folder, noRoom ? `no room on this node's disk for the new content, the former one is served: ${message}` : message);
  }

  async #dropUnwanted(wanted: readonly string[]): Promise<void> {
    const { problems, shelf, disk } = this.#parts;
    for (const known of [problems, this.#publishedAt])
      for (const folder of known.keys()) if (!wanted.includes(folder)) known.delete(folder);
    for (const folder of shelf.folders()) {
      if (wanted.includes(folder)) continue;
      shelf.replace(folder, undefined);
      await this.#removing(() => rm(join(disk.current, folder), { force: true }));
    }
  }

  async #sweep(): Promise<void> {
    if (!this.#mustSweep && !this.#isFull) return;
    const { problems, shelf, disk } = this.#parts;
    const kept = shelf.kept();
    await this.#removing(async () => {
      await sweepTrees(disk, kept);
      // While a folder has a problem its next try may use what was copied so far; but a tree that does not fit would keep the disk full.
      if (problems.size === 0 || this.#isFull) await sweepPool(disk, kept);
      this.#isFull = false;
      this.#mustSweep = shelf.hasRetired || problems.size > 0;
    });
  }

  /** Old content that stays costs room and nothing else. */
  async #removing(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#log.warn("old content cannot be removed from this node's disk", { problem: toFarmError(error).message });
    }
  }
}

async function readPointers({ store, signing }: SyncParts): Promise<ReadonlyMap<string, ContentPointer | FarmError>> {
  const pointers = new Map<string, ContentPointer | FarmError>();
  for (const entry of await store.state.list(POINTER_PREFIX)) {
    const folder = folderOf(entry.key);
    try {
      pointers.set(folder, readPointer(signing, entry));
    } catch (error) {
      pointers.set(folder, toFarmError(error));
    }
  }
  return pointers;
}
