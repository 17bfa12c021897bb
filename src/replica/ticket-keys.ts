import { randomBytes, randomUUID } from "node:crypto";

import { instant, toFarmError, type Clock, type Instant, type Log } from "../base/index.ts";
import type { Entry, FarmStore, Lease } from "../store/index.ts";
import { follow, restMs } from "./follow.ts";
import { createStaleness } from "./staleness.ts";
import { corrupt, decodeFields, encodeJson, fieldsOf, numberField, textField, type Fields } from "./state-json.ts";
import { readTicketCopy, writeTicketCopy, type TicketCopyPlace } from "./ticket-copy.ts";
import type { TicketKey, TicketKeySet } from "./types.ts";

/** The farm's ticket keys as this process has them. */
export interface TicketKeys {
  /** undefined = none were read yet, from the store or from this node's disk. */
  current(): TicketKeySet | undefined;
  /** The present set, then each newer one. Never throws; ends on abort. */
  watch(signal: AbortSignal): AsyncIterable<TicketKeySet>;
  /** Reads the store's set now. @throws the store's errors, STORE_CORRUPT */
  refresh(): Promise<TicketKeySet | undefined>;
  /**
   * Makes the first set, or turns a set that is due: next becomes current, current becomes previous, a new next is made. Says whether it did.
   * Throws the store's errors, and the lease's reason once the lease is lost.
   */
  rotateIfDue(lease: Pick<Lease, "lost">): Promise<boolean>;
  /** Since when the store cannot be read; undefined = it can. */
  staleSince(): Instant | undefined;
}

/** What ticket keys need. */
export interface TicketKeysSettings {
  readonly store: FarmStore;
  readonly clock: Clock;
  readonly log: Log;
  /** @default 12 hours */
  readonly rotateEveryMs?: number;
  /** A copy for starts without the store (mode 0600); without it there is none. */
  readonly kept?: TicketCopyPlace;
}

interface StoredKeys {
  readonly keys: TicketKeySet;
  readonly rotatedAt: Instant;
}

const KEY = "tickets/keys";
const RESYNC_MS = 10_000;
const SECRET_BYTES = 32;
const HALF_A_DAY_MS = 12 * 60 * 60 * 1000;

/**
 * The farm's ticket keys, in the state key `tickets/keys`. Every node holds `next` long before it becomes `current`, and `previous` until
 * one rotation after: a ticket of any of them is recognised everywhere before the first such ticket is issued.
 */
export function createTicketKeys(settings: TicketKeysSettings): TicketKeys {
  const { store, clock, log, rotateEveryMs = HALF_A_DAY_MS } = settings;
  const staleness = createStaleness("ticket keys", { clock, log });
  let stored = readTicketCopy(settings.kept, { log, decode: (fields, where) => decodeKeys(fields, where) });

  async function take(next: StoredKeys): Promise<void> {
    const isNew = next.keys.current.id !== stored?.keys.current.id || next.keys.next.id !== stored.keys.next.id;
    stored = next;
    const { current, next: following } = next.keys;
    if (isNew) await writeTicketCopy(settings.kept, { log, current: current.id, next: following.id, body: encodeKeys(next) });
  }

  async function look(): Promise<TicketKeySet | undefined> {
    const entry = await store.state.read(KEY);
    if (entry !== undefined) await take(decodeKeys(decodeFields(entry.value, KEY), KEY));
    return stored?.keys;
  }

  return {
    current: () => stored?.keys,
    refresh: look,
    async *watch(signal) {
      let told: TicketKeySet | undefined;
      if (stored !== undefined) yield (told = stored.keys);
      const hints = [(stop: AbortSignal) => store.state.watch("tickets", { signal: stop })];
      for await (const keys of follow({ look, hints, everyMs: restMs(store.state, RESYNC_MS), signal, staleness })) {
        if (keys === undefined || (keys.current.id === told?.current.id && keys.next.id === told.next.id)) continue;
        told = keys;
        yield keys;
      }
    },
    async rotateIfDue(lease) {
      const entry = await store.state.read(KEY);
      const before = entry === undefined ? undefined : usableKeys(entry, log);
      if (before !== undefined && !isDue(before, clock.now(), rotateEveryMs)) return false;
      lease.lost.throwIfAborted();
      const next = turn(before, clock.now());
      await store.state.write(KEY, encodeKeys(next), entry?.rev);
      await take(next);
      log.info("ticket keys are rotated", { current: next.keys.current.id, next: next.keys.next.id });
      return true;
    },
    staleSince: () => staleness.since(),
  };
}

/** Damaged keys are replaced: tickets of the old ones are then answered by full handshakes, no more. */
function usableKeys({ value }: Entry, log: Log): StoredKeys | undefined {
  try {
    return decodeKeys(decodeFields(value, KEY), KEY);
  } catch (error) {
    log.warn("the ticket keys in the store are damaged; new ones are made", { key: KEY, problem: toFarmError(error).message });
    return undefined;
  }
}

/** A rotation from the far future was noted by a machine whose clock was wrong: waiting for it would keep one key for that long. */
function isDue({ rotatedAt }: StoredKeys, now: Instant, everyMs: number): boolean {
  return now - rotatedAt >= everyMs || rotatedAt - now > everyMs;
}

function turn(before: StoredKeys | undefined, now: Instant): StoredKeys {
  const next = newKey(now);
  if (before === undefined) return { keys: { current: newKey(now), next }, rotatedAt: now };
  return { keys: { current: before.keys.next, previous: before.keys.current, next }, rotatedAt: now };
}

const newKey = (now: Instant): TicketKey => ({ id: randomUUID(), secret: new Uint8Array(randomBytes(SECRET_BYTES)), createdAt: now });

function encodeKeys({ keys, rotatedAt }: StoredKeys): Uint8Array {
  const plain = (key: TicketKey): Fields => ({ ...key, secret: Buffer.from(key.secret).toString("base64") });
  const previous = keys.previous === undefined ? {} : { previous: plain(keys.previous) };
  return encodeJson({ rotatedAt, current: plain(keys.current), ...previous, next: plain(keys.next) });
}

function decodeKeys(fields: Fields, where: string): StoredKeys {
  const previous = fields["previous"] === undefined ? {} : { previous: decodeKey(fields["previous"], where) };
  const keys = { current: decodeKey(fields["current"], where), ...previous, next: decodeKey(fields["next"], where) };
  return { keys, rotatedAt: instant(numberField(fields, "rotatedAt", where)) };
}

function decodeKey(value: unknown, where: string): TicketKey {
  const fields = fieldsOf(value, where);
  const secret = new Uint8Array(Buffer.from(textField(fields, "secret", where), "base64"));
  if (secret.length !== SECRET_BYTES) throw corrupt(where, "a key does not have 32 octets");
  return { id: textField(fields, "id", where), secret, createdAt: instant(numberField(fields, "createdAt", where)) };
}
