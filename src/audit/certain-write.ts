import { FarmError } from "../base/index.ts";
import type { Rev, Store } from "../store/index.ts";

/** Certain: nothing was written, somebody else was first. */
export const isConflict = (error: unknown): boolean => error instanceof FarmError && error.code === "STORE_CONFLICT";

/** It was sent, and no answer came. */
export const isUnknown = (error: unknown): boolean => error instanceof FarmError && error.code === "STORE_UNKNOWN";

const TRIES = 5;

/** Creates a key; undefined = it exists with another value. An outcome that is not known is read back. @throws the store's errors */
export async function createKey(state: Store, key: string, value: Uint8Array): Promise<Rev | undefined> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await state.write(key, value, undefined);
    } catch (error) {
      if (!isConflict(error) && !isUnknown(error)) throw error;
      const stored = await state.read(key);
      if (stored !== undefined) return Buffer.from(stored.value).equals(value) ? stored.rev : undefined;
      if (tries >= TRIES) throw error;
    }
  }
}
