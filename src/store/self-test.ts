import { randomBytes, randomUUID } from "node:crypto";

import { systemClock, type Clock, type FarmError, toFarmError } from "../base/index.ts";
import type { FarmStore, Rev } from "./contract.ts";

/** What a trial of the store showed. Times in milliseconds, absent when it did not come that far. */
export interface SelfTest {
  readonly ok: boolean;
  readonly location: string;
  readonly writeMs?: number;
  readonly readMs?: number;
  readonly removeMs?: number;
  /** Why it failed. */
  readonly error?: FarmError;
}

const BYTES = 10 * 1024;

/** Writes 10 KiB of random data under a key of its own, reads it back, compares and removes it. Never throws. */
export async function selfTestStore(store: FarmStore, clock: Clock = systemClock): Promise<SelfTest> {
  const times: { writeMs?: number; readMs?: number; removeMs?: number } = {};
  const timed = async <T>(name: keyof typeof times, work: () => Promise<T>): Promise<T> => {
    const startMs = clock.monotonicMs();
    const result = await work();
    times[name] = clock.monotonicMs() - startMs;
    return result;
  };
  const key = `self-test/${randomUUID()}`;
  const value = Uint8Array.from(randomBytes(BYTES));
  let rev: Rev | undefined;
  try {
    const written = await timed("writeMs", () => store.state.write(key, value, undefined));
    rev = written;
    const found = await timed("readMs", () => store.state.read(key));
    const same = found !== undefined && found.rev === written && Buffer.compare(found.value, value) === 0;
    await timed("removeMs", () => store.state.remove(key, written));
    rev = undefined;
    return { ok: same, location: store.location, ...times, ...(same ? {} : { error: differs(store.location) }) };
  } catch (error) {
    if (rev !== undefined) await store.state.remove(key, rev).catch(() => undefined);
    return { ok: false, location: store.location, ...times, error: toFarmError(error, "STORE_UNAVAILABLE") };
  }
}

const differs = (location: string): FarmError =>
  toFarmError(new Error(`${location} did not give back what was written to it a moment before`), "STORE_CORRUPT");
