import { FarmError } from "../../../base/index.ts";
import type { Entry } from "../../contract.ts";
import { prefixParts } from "../../key.ts";
import type { Answer } from "./patience.ts";
import { askGuarded, type EtcdPlace, storeEntry } from "./place.ts";
import { base64, clusterOf, entryOf, keyOf, listOf, rangeBelow, revisionOf } from "./wire.ts";

/** A list and the revision at which all of it was so. */
export interface Listing {
  readonly entries: readonly Entry[];
  readonly revision: number;
  readonly cluster: string;
}

const LIST_TRIES = 3;
/** Entries of the first page; later ones follow the size of those before. */
const FIRST_PAGE = 50;
const MAX_PAGE = 2000;
const PAGE_BYTES = 2 * 1024 * 1024;
/** A page of few small entries may be followed by one of many large ones: then it is asked for again, smaller. */
const MAX_PAGE_BYTES = 64 * 1024 * 1024;

/** Everything below a prefix at one revision, page by page. */
export async function listKeys(place: EtcdPlace, prefix: string): Promise<Listing> {
  prefixParts(prefix);
  for (let tries = 1; ; tries += 1) {
    const listing = await listOnce(place, prefix);
    if (listing !== undefined) return listing;
    if (tries === LIST_TRIES) throw compactedTooOften();
  }
}

const compactedTooOften = (): FarmError =>
  new FarmError("STORE_UNAVAILABLE", `the history of the store was compacted ${LIST_TRIES} times while a list was read`);

/** undefined = the revision of the first page was compacted away meanwhile. */
async function listOnce(place: EtcdPlace, prefix: string): Promise<Listing | undefined> {
  const range = rangeBelow(prefix === "" ? place.keys : `${place.keys}${prefix}/`);
  const entries: Entry[] = [];
  let from = range.key;
  let [limit, revision, cluster] = [FIRST_PAGE, 0, ""];
  for (;;) {
    const page = { ...range, key: from, limit: String(limit), revision: String(revision) };
    const answer =
      revision === 0
        ? await askGuarded(place, { range: page, maxBytes: MAX_PAGE_BYTES })
        : await place.gateway.ask("/v3/kv/range", page, MAX_PAGE_BYTES);
    if (answer.kind === "compacted") return undefined;
    if (answer.kind === "too-large" && limit === 1)
      throw new FarmError("STORE_VALUE_TOO_LARGE", `an entry below ${prefix} is larger than certfarm writes`);
    if (answer.kind === "too-large") {
      limit = Math.max(1, Math.floor(limit / 8));
      continue;
    }
    if (revision === 0) [revision, cluster] = [revisionOf(answer.json), clusterOf(answer.json)];
    const found = listOf(answer.json["kvs"]).map(entryOf);
    for (const entry of found) entries.push(storeEntry(place, entry));
    const last = found.at(-1);
    if (answer.json["more"] !== true || last === undefined) return { entries, revision, cluster };
    from = base64(`${last.key}\0`);
    const bytes = found.reduce((sum, entry) => sum + entry.value.byteLength + entry.key.length, 1);
    limit = Math.min(MAX_PAGE, Math.max(1, Math.floor((found.length * PAGE_BYTES) / bytes)));
  }
}

/** Keys below a prefix, without it, and the revision at which all of them were there. */
export interface KeyListing {
  readonly keys: readonly string[];
  readonly revision: number;
  readonly cluster: string;
}

/** The keys below `place.keys` at one revision, without their values: 100,000 of them in some fifty requests. @throws STORE_UNAVAILABLE */
export async function listNames(place: EtcdPlace): Promise<KeyListing> {
  for (let tries = 1; ; tries += 1) {
    const listing = await listNamesOnce(place);
    if (listing !== undefined) return listing;
    if (tries === LIST_TRIES) throw compactedTooOften();
  }
}

async function listNamesOnce(place: EtcdPlace): Promise<KeyListing | undefined> {
  const range = rangeBelow(place.keys);
  const keys: string[] = [];
  let from = range.key;
  let [revision, cluster] = [0, ""];
  for (;;) {
    const page = { ...range, key: from, limit: String(MAX_PAGE), revision: String(revision), keys_only: true };
    const answer: Answer =
      revision === 0
        ? await askGuarded(place, { range: page, maxBytes: MAX_PAGE_BYTES })
        : await place.gateway.ask("/v3/kv/range", page, MAX_PAGE_BYTES);
    if (answer.kind !== "done") return undefined;
    if (revision === 0) [revision, cluster] = [revisionOf(answer.json), clusterOf(answer.json)];
    const found = listOf(answer.json["kvs"]).map(keyOf);
    for (const key of found) keys.push(key.slice(place.keys.length));
    const last = found.at(-1);
    if (answer.json["more"] !== true || last === undefined) return { keys, revision, cluster };
    from = base64(`${last}\0`);
  }
}
