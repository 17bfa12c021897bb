import { FarmError, instant, type Clock } from "../base/index.ts";
import type { FarmStore, Folder } from "../store/index.ts";

/**
 * What a drill makes a node do wrong. All absent = nothing. There is no such object in a node that was not started with
 * `--allow-drills`: then every place that asks has undefined to look at, and no more.
 */
export interface Faults {
  /** How far the node's clock is off. */
  clockOffsetMs?: number;
  /** The folders of the store do not answer, and nothing can be tried in it; questions to the node still come through. */
  storeGone?: boolean;
  /** Why the node does not take the newest revision. */
  heldBack?: string;
  /** This binding port answers in the clear. */
  plainPort?: number;
  /** This binding port takes no connection without a PROXY header. */
  headedPort?: number;
}

/** A clock that is off while a drill wants it to be. */
export function faultyClock(clock: Clock, faults: Faults): Clock {
  return {
    now: () => (faults.clockOffsetMs === undefined ? clock.now() : instant(clock.now() + faults.clockOffsetMs)),
    monotonicMs: () => clock.monotonicMs(),
  };
}

/** A store whose folders are gone while a drill wants them to be. */
export function faultyStore(store: FarmStore, faults: Faults): FarmStore {
  const check = (what: string): void => {
    if (faults.storeGone === true) throw new FarmError("STORE_UNAVAILABLE", `${store.location}: ${what} does not answer (a drill)`);
  };
  const { state } = store;
  const isTrial = (key: string): boolean => key.startsWith("self-test/");
  return {
    location: store.location,
    farmId: () => store.farmId(),
    folder: (name) => faultyFolder(store.folder(name), () => check(name)),
    close: () => store.close(),
    state: {
      tellsAll: state.tellsAll === true,
      read: (key) => state.read(key),
      async write(key, value, expect) {
        if (isTrial(key)) check("the store");
        return state.write(key, value, expect);
      },
      remove: (key, expect) => state.remove(key, expect),
      list: (prefix) => state.list(prefix),
      watch: (prefix, options) => state.watch(prefix, options),
      putBlob: (source) => state.putBlob(source),
      getBlob: (digest, options) => state.getBlob(digest, options),
      lease: (name, ttlMs, options) => state.lease(name, ttlMs, options),
      close: () => state.close(),
    },
  };
}

function faultyFolder(folder: Folder, check: () => void): Folder {
  return {
    tellsAll: folder.tellsAll === true,
    async names() {
      check();
      return folder.names();
    },
    async *walk() {
      check();
      yield* folder.walk();
    },
    async stat(path) {
      check();
      return folder.stat(path);
    },
    async read(path, options) {
      check();
      return folder.read(path, options);
    },
    async *open(path, options) {
      check();
      yield* folder.open(path, options);
    },
    async put(path, bytes, options) {
      check();
      return folder.put(path, bytes, options);
    },
    async remove(path) {
      check();
      return folder.remove(path);
    },
    watch: (options) => folder.watch(options),
  };
}
