import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/**
 * Counts TLS contexts that were let go, and has their memory given back: a context holds 25 kB outside of the JavaScript heap, which
 * the garbage collector cannot see. Left alone it lets several thousand dead ones pile up before it looks.
 */
export interface NativeMemory {
  letGo(): void;
}

/** About 12 MB; one collection takes some 20 ms of the loop, so they must stay rare even in a storm of names. */
const CONTEXTS_A_COLLECTION = 500;

/** Collects after every 500th context, in a turn of its own. */
export function createNativeMemory(collect: () => void = exposedCollector()): NativeMemory {
  let dead = 0;
  return {
    letGo() {
      dead += 1;
      if (dead < CONTEXTS_A_COLLECTION) return;
      dead = 0;
      setImmediate(collect);
    },
  };
}

/**
 * V8's own `gc`, taken from a realm of its own, so that no other code finds it as a global. It compacts as well: names that came and went
 * leave every page of the heap half empty, which at 2,000 names holds some 17 MB. V8's own collections stay as they are.
 */
function exposedCollector(): () => void {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void; // that is what the flag exposes
  return () => {
    setFlagsFromString("--compact-on-every-full-gc");
    collect();
    setFlagsFromString("--no-compact-on-every-full-gc");
  };
}
