import { instant, systemClock, type Clock, type Instant } from "../base/index.ts";
import type { Signing } from "../identity/index.ts";
import type { Entry, FarmStore, Store } from "../store/index.ts";
import { isConflict } from "./error-kinds.ts";
import { readSaying, requireAuthorship, writeSaying, type HeardSaying } from "./farm-statement.ts";
import { follow, restMs } from "./follow.ts";
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

/** What drains are set and read with. */
export interface DrainsSettings {
  readonly clock?: Clock;
  /** Absent = a farm without identities. With it a drain counts only when an admin signed it. */
  readonly signing?: Signing | undefined;
}

/** Drains as state keys `drains/<node>`: the key's existence is the drain, and in a farm with identities an admin's signature on it. */
export function createDrains(store: FarmStore, { clock = systemClock, signing }: DrainsSettings = {}): Drains {
  const { state } = store;
  return {
    set: (node, by) => setDrain({ state, signing, clock }, node, by),
    async unset(node) {
      await requireAuthorship(state, signing);
      await removeKey(state, keyOf(node));
    },
    list: async () => believed(await state.list(PREFIX), signing),
    async *watch(signal) {
      let told: string | undefined;
      const look = async (): Promise<readonly string[]> => believed(await state.list(PREFIX), signing).map(({ node }) => node);
      const hints = [(stop: AbortSignal) => state.watch(PREFIX, { signal: stop })];
      for await (const nodes of follow({ look, hints, everyMs: restMs(state, RESYNC_MS), signal })) {
        if (nodes.join("/") === told) continue;
        told = nodes.join("/");
        yield new Set(nodes);
      }
    },
  };
}

const keyOf = (node: string): string => `${PREFIX}/${node}`;

interface DrainParts {
  readonly state: Store;
  readonly signing: Signing | undefined;
  readonly clock: Clock;
}

async function setDrain({ state, signing, clock }: DrainParts, node: string, by: string): Promise<void> {
  await requireAuthorship(state, signing);
  const at = clock.now();
  const value = writeSaying(signing, { kind: "drain", id: node, at, body: encodeJson({ by, at }) });
  const present = await state.read(keyOf(node));
  // What nobody believes is no drain: it must not keep a real one out.
  const isDrained = present !== undefined && hear(present, signing).kind === "heard";
  if (isDrained) return;
  try {
    await state.write(keyOf(node), value, present?.rev);
  } catch (error) {
    if (!isConflict(error)) throw error; // somebody else drains it at this moment
  }
}

/** By node name. */
function believed(entries: readonly Entry[], signing: Signing | undefined): readonly Drain[] {
  const drains = entries.flatMap((entry) => drainIn(entry, hear(entry, signing)) ?? []);
  return drains.sort((one, other) => (one.node < other.node ? -1 : 1));
}

const nodeOf = ({ key }: Entry): string => key.slice(PREFIX.length + 1);

const hear = (entry: Entry, signing: Signing | undefined): HeardSaying =>
  readSaying(signing, { kind: "drain", id: nodeOf(entry) }, entry.value);

function drainIn(entry: Entry, heard: HeardSaying): Drain | undefined {
  const node = nodeOf(entry);
  if (heard.kind === "refused") return undefined;
  try {
    const fields = decodeFields(heard.body, entry.key);
    return { node, by: textField(fields, "by", entry.key), at: instant(numberField(fields, "at", entry.key)) };
  } catch {
    return { node, by: "unknown", at: instant(0) }; // that the key exists is the drain
  }
}
