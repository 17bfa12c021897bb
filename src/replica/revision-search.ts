import type { Signing } from "../identity/index.ts";
import type { Store } from "../store/index.ts";
import { listedNumbers, readHead, readMarked } from "./revision-keys.ts";
import type { Revision } from "./types.ts";

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
export class RevisionSearch {
  readonly #state: Store;
  readonly #signing: Signing | undefined;
  #applied: Revision | undefined;
  #known: Revision | undefined;
  /** Every number up to this one was looked at. */
  #seenTo = 0;
  #refusal: string | undefined;
  #authorities: string | undefined;

  constructor({ state, signing, applied }: SearchSettings) {
    this.#state = state;
    this.#signing = signing;
    this.#applied = applied;
  }

  /** The newest revision that may be applied; undefined = there is none. */
  async latest(): Promise<Revision | undefined> {
    this.#forgetUnderNewAuthority();
    await this.#jumpToHead();
    if (this.#known === undefined) await this.#searchDown();
    for (let number = this.#seenTo + 1; ; number += 1) {
      const look = await this.#look(number);
      if (look === undefined) return this.#known;
      this.#take(number, look);
    }
  }

  /** The number that the next revision gets, by the last search: in a farm with identities refused ones take numbers too. */
  next(): number {
    return this.#seenTo + 1;
  }

  /** A revision that was made just now. */
  note(revision: Revision): void {
    this.#take(revision.number, { kind: "good", revision });
  }

  /** Why the newest one in the store is not what `latest` found; undefined = it is. */
  refusal(): string | undefined {
    return this.#refusal;
  }

  /** With another authority, what was refused may be good. */
  #forgetUnderNewAuthority(): void {
    const now = this.#signing?.identity().authorityPem;
    if (now === this.#authorities) return;
    this.#authorities = now;
    this.#seenTo = this.#known?.number ?? 0;
  }

  #take(number: number, look: Look): void {
    this.#seenTo = Math.max(this.#seenTo, number);
    if (look.kind === "good") this.#known = look.revision;
    this.#refusal = look.kind === "good" ? undefined : `revision ${number} is refused: ${look.why}`;
  }

  /** A store that was restored from a backup, or that somebody set back: what an admin signs from now on has lower numbers again. */
  async #startOver(known: Revision): Promise<void> {
    if ((await this.#look(known.number)) !== undefined) return;
    this.#applied = known;
    this.#known = undefined;
    this.#seenTo = 0;
  }

  async #jumpToHead(): Promise<void> {
    const head = await readHead(this.#state);
    const known = this.#known;
    if (known !== undefined && head < known.number && this.#signing !== undefined) await this.#startOver(known);
    if (head <= this.#seenTo) return;
    const look = await this.#look(head);
    if (look?.kind === "good") this.#take(head, look);
  }

  /** The hint is missing or names what is gone or refused: only a listing tells what there is. */
  async #searchDown(): Promise<void> {
    const numbers = await listedNumbers(this.#state);
    let newest: { readonly number: number; readonly look: Look } | undefined;
    for (const number of numbers.slice(0, MAX_DOWN)) {
      const look = await this.#look(number);
      if (look === undefined) continue;
      newest ??= { number, look };
      if (look.kind === "refused") continue;
      this.#take(number, look);
      break;
    }
    if (newest?.look.kind === "refused") this.#take(newest.number, newest.look);
  }

  /** undefined = there is none of that number. */
  async #look(number: number): Promise<Look | undefined> {
    const revision = await readMarked(this.#state, number, this.#signing);
    if (revision === undefined) return undefined;
    const why = revision.refused ?? (isOlder(revision, this.#applied, this.#signing) ? olderThan(this.#applied) : undefined);
    return why === undefined ? { kind: "good", revision } : { kind: "refused", why };
  }
}

/** Whoever can write into the store could put back what an admin signed long ago. What a revoked admin signed holds nothing up. */
function isOlder(revision: Revision, applied: Revision | undefined, signing: Signing | undefined): applied is Revision {
  if (signing === undefined || applied?.signerSerial === undefined) return false;
  return !signing.revoked.has(applied.signerSerial) && revision.at < applied.at;
}

const olderThan = ({ number, at }: Revision): string =>
  `it was signed before revision ${number} (${new Date(at).toISOString()}), which was applied here; apply it anew if it is the right one`;
