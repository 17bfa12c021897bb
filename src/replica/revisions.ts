import { FarmError, toFarmError, type Clock, type Instant, type Log } from "../base/index.ts";
import type { FarmStore } from "../store/index.ts";
import { settleFarmFile } from "./farm-file.ts";
import { follow } from "./follow.ts";
import { claimRevision, HEAD_PREFIX, highestListed, raiseHead, readHead, readRevision } from "./revision-keys.ts";
import { MAX_YAML_BYTES, revisionKey } from "./revision-record.ts";
import { createStaleness } from "./staleness.ts";
import { sha256 } from "./state-json.ts";
import type { Revision } from "./types.ts";

/** A change of the shared configuration. */
export interface NewRevision {
  readonly yaml: string;
  /** Who: `user@machine`, `saved file`. */
  readonly by: string;
  readonly note?: string;
  /** Number of the revision that the author started from; 0 = none. */
  readonly base: number;
}

/** A revision just made (or the latest, when nothing changed), and what became of `config/farm.yaml`. */
export interface AppendedRevision extends Revision {
  /** `edited`: somebody saved something else meanwhile; it is left as it is and will be judged next. `later`: it could not be written yet. */
  readonly farmFile: "in-step" | "edited" | "later";
}

/** The farm's configuration revisions. Methods throw the store's errors; `watch` never throws. */
export interface Revisions {
  /** undefined = the farm has none yet. */
  latest(): Promise<Revision | undefined>;
  get(number: number): Promise<Revision | undefined>;
  /** Newest first, at most `limit` (1 to 1000). */
  history(limit: number): Promise<readonly Revision[]>;
  /**
   * Makes the next revision, then brings `config/farm.yaml` up to it, unless somebody edited that meanwhile (then it is left as it is,
   * and the answer and the log say so). The same text as the latest revision makes none: the latest is returned.
   * @throws STORE_CONFLICT when the latest revision is not `base`: names who was first
   * @throws STORE_VALUE_TOO_LARGE for more than 4 MiB
   */
  append(change: NewRevision): Promise<AppendedRevision>;
  /** The latest revision, then each newer one; some in between may be left out. Ends on abort only. */
  watch(signal: AbortSignal): AsyncIterable<Revision>;
  /** Since when `watch` cannot read the store; undefined = it can. */
  staleSince(): Instant | undefined;
}

const RESYNC_MS = 5_000;
const MAX_HISTORY = 1000;
const READS_AT_ONCE = 16;

/**
 * Revisions are state keys `revisions/000042`, each created exclusively: that creation decides between two authors. A readable copy of
 * each is kept in `config/revisions/000042.yaml`.
 */
export function createRevisions(store: FarmStore, { clock, log }: { readonly clock: Clock; readonly log: Log }): Revisions {
  const staleness = createStaleness("configuration", { clock, log });
  let known: Revision | undefined;

  async function latest(): Promise<Revision | undefined> {
    const from = Math.max(known?.number ?? 0, await readHead(store.state));
    let found = from === known?.number ? known : from === 0 ? undefined : await readRevision(store.state, from);
    // The hint is missing or names what is gone: only a listing tells what there is.
    if (found === undefined) found = await readRevision(store.state, await highestListed(store.state));
    for (let next = found; next !== undefined; next = await readRevision(store.state, next.number + 1)) found = next;
    known = found;
    return found;
  }

  async function append(change: NewRevision): Promise<AppendedRevision> {
    const digest = sha256(change.yaml);
    if (Buffer.byteLength(change.yaml) > MAX_YAML_BYTES) {
      throw new FarmError("STORE_VALUE_TOO_LARGE", `the configuration is larger than ${MAX_YAML_BYTES} bytes`);
    }
    const current = await latest();
    if (current?.digest === digest) return { ...current, farmFile: await bringFarmFile(current) };
    if ((current?.number ?? 0) !== change.base) throw conflict(change.base, current);
    const number = change.base + 1;
    const { yaml, by, note } = change;
    const mine: Revision = { number, yaml, digest, at: clock.now(), by, ...(note === undefined ? {} : { note }) };
    const first = await claimRevision(store.state, mine);
    if (first.digest !== digest) throw conflict(change.base, first);
    known = first;
    return { ...first, farmFile: await bringFarmFile(first) };
  }

  /** What follows a revision that exists already: nothing here may make the append look failed; a duty completes it later. */
  async function bringFarmFile(revision: Revision): Promise<AppendedRevision["farmFile"]> {
    try {
      await raiseHead(store.state, revision.number);
      const { kind } = await settleFarmFile(store, revision);
      if (kind === "in-sync" || kind === "written") return "in-step";
      log.warn("config/farm.yaml was edited meanwhile and is left as it is", { revision: revision.number, by: revision.by });
      return "edited";
    } catch (error) {
      const { message } = toFarmError(error);
      log.warn("config/farm.yaml is not brought up to the new revision yet", { revision: revision.number, problem: message });
      return "later";
    }
  }

  return {
    latest,
    get: (number) => readRevision(store.state, number),
    history: async (limit) => readHistory(store, (await latest())?.number ?? 0, limit),
    append,
    watch: (signal) => watchRevisions(latest, { signal, hints: [(stop) => store.state.watch(HEAD_PREFIX, { signal: stop })], staleness }),
    staleSince: () => staleness.since(),
  };
}

async function readHistory(store: FarmStore, newest: number, limit: number): Promise<readonly Revision[]> {
  const count = Math.min(newest, Math.max(1, Math.min(limit, MAX_HISTORY)));
  const found: Revision[] = [];
  for (let done = 0; done < count; done += READS_AT_ONCE) {
    const numbers = Array.from({ length: Math.min(READS_AT_ONCE, count - done) }, (_, index) => newest - done - index);
    const read = await Promise.all(numbers.map((number) => readRevision(store.state, number)));
    found.push(...read.filter((revision) => revision !== undefined));
  }
  return found;
}

async function* watchRevisions(
  latest: () => Promise<Revision | undefined>,
  plan: Pick<Parameters<typeof follow>[0], "signal" | "hints" | "staleness">,
): AsyncGenerator<Revision> {
  let told = 0;
  for await (const revision of follow({ look: latest, everyMs: RESYNC_MS, ...plan })) {
    if (revision === undefined || revision.number <= told) continue;
    told = revision.number;
    yield revision;
  }
}

function conflict(base: number, first: Revision | undefined): FarmError {
  if (first === undefined) {
    return new FarmError("STORE_CONFLICT", `the farm has no revision ${base}: it has none yet`, { facts: { base, latest: 0 } });
  }
  const { number, by, at } = first;
  const when = new Date(at).toISOString();
  return new FarmError(
    "STORE_CONFLICT",
    `revision ${number} was made first, by ${by} at ${when}; this change started from revision ${base}`,
    {
      facts: { base, latest: number, by, at: when, key: revisionKey(number) },
    },
  );
}
