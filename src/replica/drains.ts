import { instant, systemClock, type Clock, type Instant } from "../base/index.ts";
import type { Entry, FarmStore, Store } from "../store/index.ts";
import { isConflict } from "./error-kinds.ts";
import { follow } from "./follow.ts";
import { removeKey } from "./remove-key.ts";
import { decodeFields, encodeJson, numberField, textField } from "./state-json.ts";

/** A node that is to get no new connections. */
export interface Drain {
  readonly node: string;
  readonly by: string;
  readonly at: Instant;
}

/** Which nodes are drained. `set` and `unset` may be repeated; methods throw the store's errors, `watch` never throws. */
export interface Drains {
  set(node: string, by: string): Promise<void>;
  unset(node: string): Promise<void>;
  /** By node name. */
  list(): Promise<readonly Drain[]>;
  /** The present set, then each other one; while the store is away the last one stands. Ends on abort. */
  watch(signal: AbortSignal): AsyncIterable<ReadonlySet<string>>;
}

const PREFIX = "drains";
const RESYNC_MS = 5_000;

/** Drains as state keys `drains/<node>`: the key's existence is the drain. */
export function createDrains(store: FarmStore, { clock = systemClock }: { readonly clock?: Clock } = {}): Drains {
  const { state } = store;
  return {
    async set(node, by) {
      try {
        await state.write(`${PREFIX}/${node}`, encodeJson({ by, at: clock.now() }), undefined);
      } catch (error) {
        if (!isConflict(error)) throw error; // it is drained already
      }
    },
    unset: (node) => removeKey(state, `${PREFIX}/${node}`),
    list: () => listDrains(state),
    async *watch(signal) {
      let told: string | undefined;
      const look = async (): Promise<readonly string[]> => (await state.list(PREFIX)).map(({ key }) => key.slice(PREFIX.length + 1)).sort();
      const hints = [(stop: AbortSignal) => state.watch(PREFIX, { signal: stop })];
      for await (const nodes of follow({ look, hints, everyMs: RESYNC_MS, signal })) {
        if (nodes.join("/") === told) continue;
        told = nodes.join("/");
        yield new Set(nodes);
      }
    },
  };
}

async function listDrains(state: Store): Promise<readonly Drain[]> {
  const drains = (await state.list(PREFIX)).map((entry) => drainIn(entry));
  return drains.sort((one, other) => (one.node < other.node ? -1 : 1));
}

function drainIn({ key, value }: Entry): Drain {
  const node = key.slice(PREFIX.length + 1);
  try {
    const fields = decodeFields(value, key);
    return { node, by: textField(fields, "by", key), at: instant(numberField(fields, "at", key)) };
  } catch {
    return { node, by: "unknown", at: instant(0) }; // that the key exists is the drain
  }
}
