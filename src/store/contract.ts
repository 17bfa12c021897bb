/** A version of a key. Opaque; compare for equality only. */
export type Rev = string & { readonly __brand: "Rev" };

/** A key, its value and the version of both. */
export interface Entry {
  readonly key: string;
  readonly value: Uint8Array;
  readonly rev: Rev;
}

/** What a watch tells. Only every key's LAST state is promised; intermediate ones may be left out. */
export type Change =
  | { readonly type: "put"; readonly entry: Entry; readonly cursor: string }
  | { readonly type: "del"; readonly key: string; readonly cursor: string }
  /** The full state of the prefix: what is absent is deleted. Always the first change without a (valid) cursor. */
  | { readonly type: "reset"; readonly entries: readonly Entry[]; readonly cursor: string }
  /** The store has not answered for a while; then that it does again. Never silent. */
  | { readonly type: "stale"; readonly sinceMs: number }
  | { readonly type: "live" };

/** Exclusive right to a name for a time. `fence` grows with every holder; writes under a lease carry it. */
export interface Lease {
  readonly name: string;
  readonly fence: bigint;
  /** Aborted when the right is lost or cannot be proved any longer, by this process's monotonic clock. */
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

/**
 * The farm's shared state: versioned keys with compare-and-set.
 *
 * Keys: 1 to 32 parts joined by `/`; a part is 1 to 200 characters, not `.` or `..`, no control characters (else STORE_KEY_INVALID).
 * Values: at most 512 KiB (STORE_VALUE_TOO_LARGE). Absence is `undefined`. Reads are linearizable.
 * Errors: STORE_CONFLICT = certain, nothing written; STORE_UNKNOWN = sent, no answer: read back; STORE_UNAVAILABLE = not sent.
 * `expect: undefined` = the key must not exist. There is no write without an expectation on purpose.
 */
export interface Store {
  /**
   * True: watches bring every change at once, and say `stale` when they cannot: a look without any change is a slow safety net. Absent or
   * false: changes may come late.
   */
  readonly tellsAll?: boolean;
  read(key: string): Promise<Entry | undefined>;
  write(key: string, value: Uint8Array, expect: Rev | undefined): Promise<Rev>;
  /** A removed and recreated key never gets an old rev again. */
  remove(key: string, expect: Rev): Promise<void>;
  /** Keys below `prefix` by component: `a` holds `a/b`, never `ab`. Each entry is whole; keys that exist throughout are listed once. */
  list(prefix: string): Promise<readonly Entry[]>;
  watch(prefix: string, options: { readonly cursor?: string; readonly signal: AbortSignal }): AsyncIterable<Change>;
  /** Immutable data by digest, of any size; idempotent. Returns `sha256:<64 hex>`. */
  putBlob(source: AsyncIterable<Uint8Array>): Promise<string>;
  /** Throws on a mismatch, never ends short. */
  getBlob(digest: string, options?: { readonly signal?: AbortSignal }): AsyncIterable<Uint8Array>;
  /** undefined = somebody else holds it (without `wait`). */
  lease(name: string, ttlMs: number, options: { readonly signal: AbortSignal; readonly wait?: boolean }): Promise<Lease | undefined>;
  close(): Promise<void>;
}

/** A file as the folder shows it. `stamp` changes whenever the file does (mtime, size, inode); compare for equality only. */
export interface FileStat {
  /** Relative path with `/`. */
  readonly path: string;
  readonly size: number;
  readonly mtimeMs: number;
  readonly stamp: string;
}

/**
 * A folder of the store that people and their tools write to by hand: central certificates, content.
 * Links that lead out of the folder are not followed. Paths with `..`, NUL, `\` or a leading `/` are refused (STORE_KEY_INVALID)
 * before the disk is asked. Unreadable (STORE_UNAVAILABLE) is never told as absent.
 */
export interface Folder {
  /**
   * True: while a watch is open every change is told with its path, and whenever some may have been missed there is a hint without paths;
   * nothing need be polled. Absent or false: hints may be late or missing.
   */
  readonly tellsAll?: boolean;
  /**
   * Names of the files at the top level, unsorted, without a stat each: 100,000 in well under a second. What has an extension is taken for a
   * file by its name; `stat` tells whether it is one.
   */
  names(): Promise<readonly string[]>;
  /** Every regular file at any depth, with its stat. */
  walk(): AsyncIterable<FileStat>;
  /** undefined = no such file. */
  stat(path: string): Promise<FileStat | undefined>;
  /** The whole file and the stat it had; undefined = absent. Larger than maxBytes: STORE_VALUE_TOO_LARGE. A file that changed while it was read is read again (bounded). */
  read(path: string, options: { readonly maxBytes: number }): Promise<{ readonly bytes: Uint8Array; readonly stat: FileStat } | undefined>;
  /** A stream of a file's bytes, for large content. Throws STORE_UNAVAILABLE when it is absent. */
  open(path: string, options?: { readonly signal?: AbortSignal }): AsyncIterable<Uint8Array>;
  /**
   * Writes a file whole (temporary name, fsync, rename). STORE_UNKNOWN when the disk did not answer in time: read back.
   * With `expect` only over the version that has this stamp, else STORE_CONFLICT and nothing is written. In a directory the stamp is compared
   * right before the rename: certfarm's own writers of a folder take turns, and a person's copy in between is not seen.
   */
  put(path: string, bytes: Uint8Array, options?: { readonly expect?: string }): Promise<FileStat>;
  remove(path: string): Promise<void>;
  /**
   * Says "look again", never what happened. `paths` is a hint and may be absent. Comes within 100 ms on a local disk, within one
   * poll elsewhere (SMB and NFS carry no events): the folder's own time stamp is polled always. The first one comes at once, when
   * watching is in place: whoever looks after it misses nothing. Iteration ends when the signal aborts.
   */
  watch(options: { readonly signal: AbortSignal }): AsyncIterable<{ readonly paths?: readonly string[] }>;
}

/** Everything the farm shares. */
export interface FarmStore {
  /** certfarm's own versioned keys. */
  readonly state: Store;
  /** `certificates/`, `content/`, `config/` of the store. */
  folder(name: "certificates" | "content" | "config"): Folder;
  /** The farm's random id, made when its store was founded: 36 characters. @throws STORE_UNAVAILABLE while the store is not there */
  farmId(): Promise<string>;
  /** For people: the directory, or the address of etcd. */
  readonly location: string;
  close(): Promise<void>;
}
