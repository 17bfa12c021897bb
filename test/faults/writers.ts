import { setTimeout as pause } from "node:timers/promises";

import { FarmError } from "../../src/base/index.ts";
import type { FarmStore, Rev, Store } from "../../src/store/index.ts";
import { until } from "../farm/until.ts";
import type { FaultStore } from "./fault-store.ts";

const PREFIX = "faults";
const KEYS = [`${PREFIX}/one`, `${PREFIX}/two`, `${PREFIX}/three`] as const;
const WRITERS = ["first", "second"] as const;
const WRITE_EVERY_MS = 100;
const REPLACE_EVERY_MS = 1_000;

/** What a counter key holds: `n` is one more than in the version that was expected. */
interface Count {
  readonly key: string;
  readonly n: number;
  readonly id: string;
}

/** A write that the store acknowledged. */
interface Acknowledged extends Count {
  readonly expected: Rev | undefined;
  readonly rev: Rev;
}

interface Tally {
  readonly acknowledged: Acknowledged[];
  readonly unanswered: Count[];
  conflicts: number;
  unavailable: number;
  replaced: number;
}

/** What became of everything that was written. */
export interface WritersReport {
  readonly acknowledged: number;
  readonly unanswered: number;
  readonly conflicts: number;
  /** Refused for certain: nothing was written. */
  readonly unavailable: number;
  /** Certificates. */
  readonly replaced: number;
  /** Acknowledged writes that are not in the history. */
  readonly lost: readonly string[];
  /** Expected versions that were accepted for two writes. */
  readonly twice: readonly string[];
  /** Keys whose last state the watcher has not seen, and those it saw go back. */
  readonly gaps: readonly string[];
}

/** Everything that writes and watches while the faults go on. */
export interface Writers {
  /** Writes that the store acknowledged so far. */
  readonly acknowledged: number;
  /** Ends them, compares with what the store has, and reports. */
  finish(): Promise<WritersReport>;
}

/** Two rival writers of the same counters, one that replaces a certificate every second, and a watcher, each with a store handle of its own. */
export async function startWriters(store: FaultStore, renewed: string): Promise<Writers> {
  const ending = new AbortController();
  const watching = new AbortController();
  const handles: FarmStore[] = [];
  const open = async (): Promise<Store> => {
    const handle = await store.open();
    handles.push(handle);
    return handle.state;
  };
  const tally: Tally = { acknowledged: [], unanswered: [], conflicts: 0, unavailable: 0, replaced: 0 };
  const watched = { seen: new Map<string, Count>(), gaps: [] as string[] };
  const watch = follow(await open(), watched, watching.signal);
  const writing = [replace(store, { renewed, tally, signal: ending.signal })];
  for (const writer of WRITERS) writing.push(count(await open(), { writer, tally, signal: ending.signal }));
  return {
    get acknowledged() {
      return tally.acknowledged.length;
    },
    async finish() {
      ending.abort();
      await Promise.all(writing);
      const last = await readAll(await open());
      await until(() => Promise.resolve(hasSeen(watched.seen, last)), { what: "the watcher has seen the end", deadlineMs: 15_000 }).catch(
        () => watched.gaps.push(`the watcher never saw the last state of a key: ${JSON.stringify([...watched.seen.values()])}`),
      );
      watching.abort();
      await watch;
      for (const handle of handles) await handle.close();
      return {
        ...tally,
        acknowledged: tally.acknowledged.length,
        unanswered: tally.unanswered.length,
        ...audit(tally, last),
        gaps: watched.gaps,
      };
    },
  };
}

/** Raises every counter, again and again. */
async function count(
  store: Store,
  { writer, tally, signal }: { readonly writer: string; readonly tally: Tally; readonly signal: AbortSignal },
): Promise<void> {
  for (let turn = 0; !signal.aborted; turn++) {
    const key = KEYS[turn % KEYS.length] ?? KEYS[0];
    await raise(store, { key, id: `${writer}-${turn}`, tally });
    await pause(WRITE_EVERY_MS, undefined, { signal }).catch(() => undefined); // the end
  }
}

async function raise(
  store: Store,
  { key, id, tally }: { readonly key: string; readonly id: string; readonly tally: Tally },
): Promise<void> {
  let made: Count | undefined;
  try {
    const present = await store.read(key);
    made = { key, n: present === undefined ? 1 : parse(present.value).n + 1, id };
    const rev = await store.write(key, Buffer.from(JSON.stringify(made)), present?.rev);
    tally.acknowledged.push({ ...made, expected: present?.rev, rev });
  } catch (error) {
    if (!(error instanceof FarmError)) throw error;
    if (error.code === "STORE_CONFLICT") tally.conflicts += 1;
    else if (error.code === "STORE_UNKNOWN" && made !== undefined) tally.unanswered.push(made);
    else if (error.code === "STORE_UNAVAILABLE" || error.code === "STORE_FULL") tally.unavailable += 1;
    else throw error;
  }
}

/** Replaces the certificate of a site. A write without an answer may have been made; the next one replaces it. */
async function replace(
  store: FaultStore,
  { renewed, tally, signal }: { readonly renewed: string; readonly tally: Tally; readonly signal: AbortSignal },
): Promise<void> {
  while (!signal.aborted) {
    await store.issue(renewed).then(
      () => (tally.replaced += 1),
      (error: unknown) => {
        if (!(error instanceof FarmError) || !/^STORE_(UNKNOWN|UNAVAILABLE|FULL|CONFLICT)$/.test(error.code)) throw error;
      },
    );
    await pause(REPLACE_EVERY_MS, undefined, { signal }).catch(() => undefined); // the end
  }
}

async function follow(
  store: Store,
  { seen, gaps }: { readonly seen: Map<string, Count>; readonly gaps: string[] },
  signal: AbortSignal,
): Promise<void> {
  const take = (value: Uint8Array): void => {
    const next = parse(value);
    const before = seen.get(next.key);
    if (before !== undefined && next.n < before.n) gaps.push(`${next.key} went back from ${before.n} to ${next.n}`);
    seen.set(next.key, next);
  };
  for await (const change of store.watch(PREFIX, { signal })) {
    if (change.type === "put") take(change.entry.value);
    if (change.type === "reset") for (const entry of change.entries) take(entry.value);
  }
}

const parse = (value: Uint8Array): Count => JSON.parse(Buffer.from(value).toString("utf8")) as Count; // raise() wrote it

async function readAll(store: Store): Promise<ReadonlyMap<string, Count>> {
  return new Map((await store.list(PREFIX)).map(({ key, value }) => [key, parse(value)]));
}

const hasSeen = (seen: ReadonlyMap<string, Count>, last: ReadonlyMap<string, Count>): boolean =>
  [...last].every(([key, { n, id }]) => seen.get(key)?.n === n && seen.get(key)?.id === id);

/**
 * Every number up to the last one was written once. An acknowledged write that got lost shows as its number being acknowledged again, as
 * a successor that did not expect it, or as a last number below it; numbers that nobody was told of are those of unanswered writes.
 */
export function audit(
  tally: Pick<Tally, "acknowledged" | "unanswered">,
  last: ReadonlyMap<string, Count>,
): Pick<WritersReport, "lost" | "twice"> {
  const lost: string[] = [];
  const twice: string[] = [];
  for (const key of new Set(tally.acknowledged.map((one) => one.key))) {
    const own = tally.acknowledged.filter((one) => one.key === key).sort((one, other) => one.n - other.n);
    const expected = new Set<Rev | undefined>();
    const byNumber = new Map<number, Acknowledged>();
    for (const one of own) {
      if (expected.has(one.expected)) twice.push(`${key}: version ${one.expected ?? "none"} was accepted again for ${one.n}`);
      expected.add(one.expected);
      if (byNumber.has(one.n)) lost.push(`${key}: ${one.n} was acknowledged twice`);
      byNumber.set(one.n, one);
      const before = byNumber.get(one.n - 1);
      if (before !== undefined && before.rev !== one.expected) lost.push(`${key}: ${one.n} does not follow ${one.n - 1}`);
    }
    const end = last.get(key)?.n ?? 0;
    const highest = own.at(-1)?.n ?? 0;
    if (end < highest) lost.push(`${key}: it ends at ${end} though ${highest} was acknowledged`);
    const untold = Math.max(0, end - byNumber.size);
    const unanswered = tally.unanswered.filter((one) => one.key === key).length;
    if (untold > unanswered)
      lost.push(`${key}: ${untold} numbers that nobody was told of, but only ${unanswered} writes without an answer`);
  }
  return { lost, twice };
}
