import { FarmError, toFarmError } from "../base/index.ts";
import type { Change, FarmStore, Folder, Store } from "./contract.ts";
import { openStore, tellsAll, type OpenOptions } from "./open-store.ts";
import type { StoreSettings } from "./store-options.ts";

/** Between two tries to open a store that is not there. */
const RETRY_MS = 1_000;

/**
 * A store that need not be there yet: a node starts while its share is unmounted or etcd has no majority, serves from its own disk, and
 * finds the store as soon as it comes. Until then every call throws what opening threw last, STORE_UNAVAILABLE mostly, and watches wait.
 * @throws STORE_URL_INVALID
 */
export function openStoreLater(settings: StoreSettings, options: OpenOptions): FarmStore {
  const opener = createOpener(settings, options);
  const state = <K extends "read" | "write" | "remove" | "list" | "putBlob" | "lease">(name: K): Store[K] =>
    (async (...args: unknown[]) => {
      const store = await opener.open();
      return (store.state[name] as (...all: unknown[]) => unknown)(...args);
    }) as unknown as Store[K]; // the same parameters, handed on
  const folders = new Map<string, Folder>();
  const folderOf = (name: FolderName): Folder => {
    const known = folders.get(name) ?? createLaterFolder(opener, name, tellsAll(settings, name));
    folders.set(name, known);
    return known;
  };
  return {
    location: settings.place,
    farmId: async () => (await opener.open()).farmId(),
    folder: folderOf,
    state: {
      tellsAll: tellsAll(settings, "certificates"),
      read: state("read"),
      write: state("write"),
      remove: state("remove"),
      list: state("list"),
      putBlob: state("putBlob"),
      lease: state("lease"),
      getBlob: (digest, given) => opener.iterate((store) => store.state.getBlob(digest, given)),
      watch: (prefix, given) => watchLater(opener, given.signal, (store) => store.state.watch(prefix, given)),
      close: () => opener.close(),
    },
    close: () => opener.close(),
  };
}

type FolderName = Parameters<FarmStore["folder"]>[0];

interface Opener {
  /** @throws STORE_UNAVAILABLE and whatever else opening throws */
  open(): Promise<FarmStore>;
  iterate<T>(from: (store: FarmStore) => AsyncIterable<T>): AsyncIterable<T>;
  close(): Promise<void>;
}

function createOpener(settings: StoreSettings, options: OpenOptions): Opener {
  let opened: FarmStore | undefined;
  let opening: Promise<FarmStore> | undefined;
  let failed: { readonly error: FarmError; readonly untilMs: number } | undefined;
  let closed = false;

  const tryOpen = async (): Promise<FarmStore> => {
    try {
      opened = await openStore(settings, options);
      failed = undefined;
      return opened;
    } catch (thrown) {
      const error = toFarmError(thrown, "STORE_UNAVAILABLE");
      if (failed?.error.code !== error.code && error.code !== "STORE_UNAVAILABLE")
        options.log.error("the store cannot be opened", { code: error.code, problem: error.message, remedy: error.remedy });
      failed = { error, untilMs: options.clock.monotonicMs() + RETRY_MS / 2 };
      throw error;
    } finally {
      opening = undefined;
    }
  };
  const open = async (): Promise<FarmStore> => {
    if (opened !== undefined) return opened;
    if (closed) throw new FarmError("STORE_UNAVAILABLE", `the store ${settings.place} is closed`);
    if (failed !== undefined && options.clock.monotonicMs() < failed.untilMs) throw failed.error;
    return (opening ??= tryOpen());
  };
  return {
    open,
    async *iterate(from) {
      yield* from(await open());
    },
    async close() {
      closed = true;
      await opening?.catch(ignore);
      await opened?.close();
    },
  };
}

function createLaterFolder(opener: Opener, name: FolderName, isExact: boolean): Folder {
  const folder = async (): Promise<Folder> => (await opener.open()).folder(name);
  return {
    tellsAll: isExact,
    names: async () => (await folder()).names(),
    walk: () => opener.iterate((store) => store.folder(name).walk()),
    stat: async (path) => (await folder()).stat(path),
    read: async (path, settings) => (await folder()).read(path, settings),
    open: (path, settings) => opener.iterate((store) => store.folder(name).open(path, settings)),
    put: async (path, bytes, given) => (await folder()).put(path, bytes, given),
    remove: async (path) => (await folder()).remove(path),
    watch: (settings) => watchLater(opener, settings.signal, (store) => store.folder(name).watch(settings)),
  };
}

/** Waits for the store, then watches it. */
async function* watchLater<T extends Change | { readonly paths?: readonly string[] }>(
  opener: Opener,
  signal: AbortSignal,
  from: (store: FarmStore) => AsyncIterable<T>,
): AsyncIterable<T> {
  for (;;) {
    if (signal.aborted) return;
    const store = await opener.open().catch(ignore);
    if (store !== undefined) return yield* from(store);
    await pause(signal);
  }
}

function pause(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, RETRY_MS);
    signal.addEventListener("abort", done, { once: true });
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
  });
}

function ignore(): undefined {
  return undefined;
}
