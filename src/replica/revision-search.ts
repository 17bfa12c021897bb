import type { Signing } from "../identity/index.ts";
import type { Store } from "../store/index.ts";
import { listedNumbers, readHead, readMarked } from "./revision-keys.ts";
import type { Revision } from "./types.ts";

/** Finds the newest revision that may be applied, and remembers it. */
export interface RevisionSearch {
  readonly latest: () => Promise<Revision | undefined>;
  /** The number that the next revision gets, by the last search: in a farm with identities refused ones take numbers too. */
  next(): number;
  /** A revision that was made just now. */
  note(revision: Revision): void;
  /** Why the newest one in the store is not what `latest` found; undefined = it is. */
  refusal(): string | undefined;
}

/** What a search goes by. */
interface SearchSettings {
  readonly state: Store;
  /** Absent = a farm without identities: every revision counts. */
  readonly signing: Signing | undefined;
  /** What this process has applied before: nothing that was signed earlier takes its place. */
  readonly applied: Revision | undefined;
}

type Look = { readonly kind: "good"; readonly revision: Revision } | { readonly kind: "refused"; readonly why: string };

/** Refused ones that are looked at one by one on the way down to a good one. */
const MAX_DOWN = 1_000;

/** A search that starts where the last one ended, with one read when nothing is new. */
export function createRevisionSearch(settings: SearchSettings): RevisionSearch {
  const { state, signing } = settings;
  let known: Revision | undefined;
  /** Every number up to this one was looked at. */
  let seenTo = 0;
  let refusal: string | undefined;
  let authorities: string | undefined;

  /** With another authority, what was refused may be good. */
  function forgetUnderNewAuthority(): void {
    const now = signing?.identity().authorityPem;
    if (now === authorities) return;
    authorities = now;
    seenTo = known?.number ?? 0;
  }

  function take(number: number, look: Look): void {
    seenTo = Math.max(seenTo, number);
    if (look.kind === "good") known = look.revision;
    refusal = look.kind === "good" ? undefined : `revision ${number} is refused: ${look.why}`;
  }

  async function jumpToHead(): Promise<void> {
    const head = await readHead(state);
    if (head <= seenTo) return;
    const look = await lookAt(settings, head);
    if (look?.kind === "good") take(head, look);
  }

  /** The hint is missing or names what is gone or refused: only a listing tells what there is. */
  async function searchDown(): Promise<void> {
    const numbers = await listedNumbers(state);
    let newest: { readonly number: number; readonly look: Look } | undefined;
    for (const number of numbers.slice(0, MAX_DOWN)) {
      const look = await lookAt(settings, number);
      if (look === undefined) continue;
      newest ??= { number, look };
      if (look.kind === "refused") continue;
      take(number, look);
      break;
    }
    if (newest?.look.kind === "refused") take(newest.number, newest.look);
  }

  return {
    async latest() {
      forgetUnderNewAuthority();
      await jumpToHead();
      if (known === undefined) await searchDown();
      for (let number = seenTo + 1; ; number += 1) {
        const look = await lookAt(settings, number);
        if (look === undefined) return known;
        take(number, look);
      }
    },
    next: () => seenTo + 1,
    note(revision) {
      take(revision.number, { kind: "good", revision });
    },
    refusal: () => refusal,
  };
}

/** undefined = there is none of that number. */
async function lookAt({ state, signing, applied }: SearchSettings, number: number): Promise<Look | undefined> {
  const revision = await readMarked(state, number, signing);
  if (revision === undefined) return undefined;
  const why = revision.refused ?? (isOlder(revision, applied, signing) ? olderThan(applied) : undefined);
  return why === undefined ? { kind: "good", revision } : { kind: "refused", why };
}

/** Whoever can write into the store could put back what an admin signed long ago. What a revoked admin signed holds nothing up. */
function isOlder(revision: Revision, applied: Revision | undefined, signing: Signing | undefined): applied is Revision {
  if (signing === undefined || applied?.signerSerial === undefined) return false;
  return !signing.revoked.has(applied.signerSerial) && revision.at < applied.at;
}

const olderThan = ({ number, at }: Revision): string =>
  `it was signed before revision ${number} (${new Date(at).toISOString()}), which was applied here; apply it anew if it is the right one`;
