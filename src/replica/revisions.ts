import { FarmError, instant, toFarmError, type Clock, type Instant, type Log } from "../base/index.ts";
import type { Signing } from "../identity/index.ts";
import type { FarmStore } from "../store/index.ts";
import { settleFarmFile } from "./farm-file.ts";
import { requireAuthorship } from "./farm-statement.ts";
import { follow, restMs } from "./follow.ts";
import { claimRevision, HEAD_PREFIX, raiseHead, readMarked, readRevision } from "./revision-keys.ts";
import { MAX_YAML_BYTES, revisionKey } from "./revision-record.ts";
import { RevisionSearch } from "./revision-search.ts";
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
  /** A new revision even when the text is that of the latest one: to sign it anew. */
  readonly anew?: boolean;
}

/** A revision just made (or the latest, when nothing changed), and what became of `config/farm.yaml`. */
export interface AppendedRevision extends Revision {
  /** `edited`: somebody saved something else meanwhile; it is left as it is and will be judged next. `later`: it could not be written yet. */
  readonly farmFile: "in-step" | "edited" | "later";
}

/** The farm's configuration revisions. Methods throw the store's errors; `watch` never throws. */
export interface Revisions {
  /** undefined = the farm has none yet. In a farm with identities: the newest one that an admin of it signed. */
  latest(): Promise<Revision | undefined>;
  /** Also one that is refused; it says so. */
  get(number: number): Promise<Revision | undefined>;
  /** Newest first, at most `limit` (1 to 1000), those included that are refused. */
  history(limit: number): Promise<readonly Revision[]>;
  /**
   * Makes the next revision, then brings `config/farm.yaml` up to it, unless somebody edited that meanwhile (then it is left as it is,
   * and the answer and the log say so). The same text as the latest revision makes none: the latest is returned.
   * @throws STORE_CONFLICT when the latest revision is not `base`: names who was first
   * @throws STORE_VALUE_TOO_LARGE for more than 4 MiB
   * @throws SIGNING_ROLE_WRONG when the farm has identities and this process has not that of an admin
   */
  append(change: NewRevision): Promise<AppendedRevision>;
  /** The latest revision, then each newer one; some in between may be left out. Ends on abort only. */
  watch(signal: AbortSignal): AsyncIterable<Revision>;
  /** Since when `watch` cannot read the store; undefined = it can. */
  staleSince(): Instant | undefined;
  /** Why the store's newest revision is not `latest`, by the last look; undefined = it is. */
  refusal(): string | undefined;
}

/** What revisions are read and made with. */
export interface RevisionsSettings {
  readonly clock: Clock;
  readonly log: Log;
  /** Absent = a farm without identities: nothing is signed, nothing refused. */
  readonly signing?: Signing | undefined;
  /** What this process has applied before: nothing that was signed earlier takes its place. */
  readonly applied?: Revision | undefined;
}

const RESYNC_MS = 5_000;
const MAX_HISTORY = 1000;
const READS_AT_ONCE = 16;
/** Numbers that were taken meanwhile by what nobody believes. */
const MAX_TRIES = 10;

/**
 * Revisions are state keys `revisions/000042`, each created exclusively: that creation decides between two authors. A readable copy of
 * each is kept in `config/revisions/000042.yaml`.
 */
export function createRevisions(store: FarmStore, { clock, log, signing, applied }: RevisionsSettings): Revisions {
  const staleness = createStaleness("configuration", { clock, log });
  const search = new RevisionSearch({ state: store.state, signing, applied });
  const latest = (): Promise<Revision | undefined> => search.latest();

  async function append(change: NewRevision): Promise<AppendedRevision> {
    const digest = sha256(change.yaml);
    if (Buffer.byteLength(change.yaml) > MAX_YAML_BYTES) {
      throw new FarmError("STORE_VALUE_TOO_LARGE", `the configuration is larger than ${MAX_YAML_BYTES} bytes`);
    }
    await requireAuthorship(store.state, signing);
    for (let tries = 1; ; tries += 1) {
      const current = await latest();
      if (current?.digest === digest && change.anew !== true) return { ...current, farmFile: await bringFarmFile(current) };
      if ((current?.number ?? 0) !== change.base) throw conflict(change.base, current);
      const first = await claimRevision(store.state, nextRevision(change, current, digest), signing);
      if (first.refused !== undefined && tries < MAX_TRIES) continue;
      if (first.digest !== digest) throw conflict(change.base, first);
      search.note(first);
      return { ...first, farmFile: await bringFarmFile(first) };
    }
  }

  /** Each is later than the one before, whatever clocks say: of two signed texts everybody can tell the newer one. */
  function nextRevision({ yaml, by, note }: NewRevision, current: Revision | undefined, digest: string): Revision {
    const at = instant(Math.max(Math.round(clock.now()), (current?.at ?? 0) + 1));
    return { number: search.next(), yaml, digest, at, by, ...(note === undefined ? {} : { note }) };
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
    get: (number) => readRevision(store.state, number, signing),
    history: async (limit) => {
      await latest();
      return readHistory((number) => readMarked(store.state, number, signing), search.next() - 1, limit);
    },
    append,
    watch: (signal) =>
      watchRevisions(latest, {
        signal,
        hints: [(stop) => store.state.watch(HEAD_PREFIX, { signal: stop })],
        everyMs: restMs(store.state, RESYNC_MS),
        staleness,
      }),
    staleSince: () => staleness.since(),
    refusal: () => search.refusal(),
  };
}

async function readHistory(
  read: (number: number) => Promise<Revision | undefined>,
  newest: number,
  limit: number,
): Promise<readonly Revision[]> {
  const count = Math.min(newest, Math.max(1, Math.min(limit, MAX_HISTORY)));
  const found: Revision[] = [];
  for (let done = 0; done < count; done += READS_AT_ONCE) {
    const numbers = Array.from({ length: Math.min(READS_AT_ONCE, count - done) }, (_, index) => newest - done - index);
    found.push(...(await Promise.all(numbers.map(read))).filter((revision) => revision !== undefined));
  }
  return found;
}

async function* watchRevisions(
  latest: () => Promise<Revision | undefined>,
  plan: Pick<Parameters<typeof follow>[0], "signal" | "hints" | "everyMs" | "staleness">,
): AsyncGenerator<Revision> {
  let told = { number: 0, at: 0 };
  for await (const revision of follow({ look: latest, ...plan })) {
    // A lower number that was made later comes after the store was set back.
    if (revision === undefined || (revision.number <= told.number && revision.at <= told.at)) continue;
    told = revision;
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
