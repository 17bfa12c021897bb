import type { Log } from "../base/index.ts";
import type { Store } from "../store/index.ts";
import { EMPTY_HEAD, entryKey, numberOf, SEGMENTS, type ChainHead, type ChainPlace, type KnownHead } from "./chain-head.ts";
import { openEntry } from "./sealed-entry.ts";
import { readSegment } from "./segment.ts";

/** Between packing and removing there are more live entries than this only when something is wrong. */
const MAX_LIVE = 10_000;

/**
 * The head of a log that has lost it, out of the segments and entries that are left; undefined = there are none. It is not written here: the
 * next entry does that.
 */
export async function rebuildHead({ state, log }: { readonly state: Store; readonly log: Log }): Promise<KnownHead | undefined> {
  const segments = (await state.list(SEGMENTS)).flatMap(({ key }) => numberOf(key) ?? []).sort((one, other) => one - other);
  const [first] = segments;
  const last = segments.at(-1);
  const base = first === undefined ? EMPTY_HEAD.base : await startOf(state, first);
  const closed = last === undefined ? base : await endOf(state, last);
  let head: ChainHead = { ...EMPTY_HEAD, ...closed, base, closed };
  for (let live = 0; live < MAX_LIVE; live += 1) {
    const stored = await state.read(entryKey(head.seq + 1));
    const opened = stored === undefined ? undefined : openEntry(stored.value, undefined);
    if (opened?.kind !== "entry" || opened.entry.seq !== head.seq + 1 || opened.entry.previous !== head.digest) break;
    head = { ...head, seq: opened.entry.seq, digest: opened.digest, at: opened.entry.at };
  }
  if (head.seq === 0) return undefined;
  log.error("the head of the audit log is missing and was made anew from what is left", { seq: head.seq, digest: head.digest });
  return { head: { seq: head.seq, digest: head.digest, at: head.at, closed, base }, rev: undefined };
}

async function endOf(state: Store, segment: number): Promise<ChainPlace> {
  const opened = openEntry((await readSegment(state, segment))?.at(-1) ?? new Uint8Array(), undefined);
  return opened.kind === "entry" ? { segment, seq: opened.entry.seq, digest: opened.digest } : EMPTY_HEAD.closed;
}

async function startOf(state: Store, segment: number): Promise<ChainPlace> {
  const opened = openEntry((await readSegment(state, segment))?.[0] ?? new Uint8Array(), undefined);
  return opened.kind === "entry" ? { segment: segment - 1, seq: opened.entry.seq - 1, digest: opened.entry.previous } : EMPTY_HEAD.base;
}
