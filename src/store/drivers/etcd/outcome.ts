import { unseal } from "./envelope.ts";
import { type EtcdPlace, readWire } from "./place.ts";
import { readHistory } from "./stream.ts";
import type { WireEntry, WireEvent } from "./wire.ts";

/** A change whose answer never came. */
export interface LostChange {
  /** The key in etcd. */
  readonly key: string;
  readonly id: string;
  /** undefined = the key was to be new. */
  readonly expected: number | undefined;
  /** A revision the cluster had before the change was sent. */
  readonly since: number;
  readonly isRemoval: boolean;
}

/** What the history shows. `unknown`: it may still happen, or the history is gone. */
export type Found =
  | { readonly kind: "applied"; readonly revision: number }
  | { readonly kind: "refused"; readonly revision: number | undefined }
  | { readonly kind: "unknown" };

const UNKNOWN: Found = { kind: "unknown" };

/**
 * Decides by reading back. While the key stands where the change expects it, the change may still be on its way, so that only a key that
 * moved is proof: by this change, or by another one that made it impossible.
 */
export async function resolveOutcome(place: EtcdPlace, lost: LostChange): Promise<Found> {
  const now = await readWire(place, lost.key).catch(() => "away" as const);
  if (now === "away") return UNKNOWN;
  if (now !== undefined && !lost.isRemoval && idOf(now) === lost.id) return { kind: "applied", revision: now.revision };
  return lost.expected === undefined
    ? resolveCreation(place, lost, now)
    : resolveReplacement(place, { ...lost, expected: lost.expected }, now);
}

async function resolveCreation(place: EtcdPlace, lost: LostChange, now: WireEntry | undefined): Promise<Found> {
  if (now === undefined) return UNKNOWN;
  if (now.revision <= lost.since) return { kind: "refused", revision: now.revision };
  const events = await readHistory(place.gateway, {
    key: lost.key,
    from: lost.since + 1,
    isEnough: ({ revision }) => revision >= now.revision,
  });
  if (events === undefined) return UNKNOWN;
  const ours = events.find((event) => !event.removed && idOf(event) === lost.id);
  return ours === undefined ? { kind: "refused", revision: now.revision } : { kind: "applied", revision: ours.revision };
}

/** The first change after the expected version is the only one that can have been this one. */
async function resolveReplacement(
  place: EtcdPlace,
  lost: LostChange & { readonly expected: number },
  now: WireEntry | undefined,
): Promise<Found> {
  if (now?.revision === lost.expected) return UNKNOWN;
  const events = await readHistory(place.gateway, { key: lost.key, from: lost.expected + 1, isEnough: () => true });
  const [first] = events ?? [];
  if (first === undefined) return UNKNOWN;
  const refused: Found = { kind: "refused", revision: now?.revision };
  if (first.removed !== lost.isRemoval) return refused;
  const isOurs = lost.isRemoval ? await isOurRemoval(place, lost.id, first) : idOf(first) === lost.id;
  if (isOurs === undefined) return UNKNOWN;
  return isOurs ? { kind: "applied", revision: first.revision } : refused;
}

/** A removal leaves its id at the same revision under a key of its own. undefined = that history is gone */
async function isOurRemoval(place: EtcdPlace, id: string, removal: WireEvent): Promise<boolean | undefined> {
  const mark = await readWire(place, place.removal, removal.revision).catch(() => undefined);
  if (mark === undefined) return undefined;
  return mark.revision === removal.revision && idOf(mark) === id;
}

const idOf = ({ key, value }: WireEntry): string => unseal(key, value).id;
