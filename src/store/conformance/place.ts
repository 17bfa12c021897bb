import { createHash } from "node:crypto";

import { expect } from "vitest";

import { instant, systemClock, type Clock } from "../../base/index.ts";
import type { Change, FarmStore, Rev, Store } from "../contract.ts";

/** One fresh place where stores meet. */
export interface ConformanceBacking {
  /** A handle of its own on the same place, as another process would have. The suite closes it. */
  open(clock?: Clock): Promise<FarmStore>;
  /** Puts keys there by the shortest way; the suite writes them one by one without it. */
  fill?(keys: readonly string[], value: Uint8Array): Promise<void>;
  /** How many keys are many; 10,000 unless told. */
  readonly manyKeys?: number;
  remove(): Promise<void>;
}

/** Where one test of the suite works: afresh for each. */
export interface ConformancePlace {
  readonly backing: ConformanceBacking;
  /** Aborted when the test has ended. */
  readonly stop: AbortController;
  /** A handle that is closed when the test has ended. */
  readonly open: (clock?: Clock) => Promise<FarmStore>;
  readonly openMany: (count: number) => Promise<FarmStore[]>;
}

/** A value of a text. */
export const text = (value: string): Uint8Array => new TextEncoder().encode(value);
/** The text of a value. */
export const plain = (value: Uint8Array | undefined): string => new TextDecoder().decode(value);
/** Hexadecimal. */
export const sha256 = (value: Uint8Array): string => createHash("sha256").update(value).digest("hex");

/** Octets in pieces. */
export async function* chunks(bytes: Uint8Array, size = 50_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size);
}

/** All pieces together. */
export async function collect(source: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of source) parts.push(part);
  return Uint8Array.from(Buffer.concat(parts));
}

/** Resolves when a watch's state satisfies a condition; keeps the state as a consumer would. */
export async function follow(
  watch: AsyncIterable<Change>,
  isDone: (state: ReadonlyMap<string, string>) => boolean,
): Promise<readonly Change[]> {
  const state = new Map<string, string>();
  const seen: Change[] = [];
  for await (const change of watch) {
    seen.push(change);
    if (change.type === "reset") state.clear();
    if (change.type === "reset") for (const { key, value } of change.entries) state.set(key, plain(value));
    if (change.type === "put") state.set(change.entry.key, plain(change.entry.value));
    if (change.type === "del") state.delete(change.key);
    if (isDone(state)) break;
  }
  return seen;
}

/** A clock that is ahead by so much. */
export const skewed = (ms: number): Clock => ({
  now: () => instant(systemClock.now() + ms),
  monotonicMs: () => systemClock.monotonicMs() + ms,
});

/** Adds one by compare-and-set until it is acknowledged; resolves to the rev that was expected. */
export async function increment(state: Store, key: string): Promise<Rev | undefined> {
  for (;;) {
    const entry = await state.read(key);
    try {
      await state.write(key, text(String(Number(plain(entry?.value) || "0") + 1)), entry?.rev);
      return entry?.rev;
    } catch (error) {
      expect(error).toMatchObject({ code: "STORE_CONFLICT" });
    }
  }
}
