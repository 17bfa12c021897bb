import { FarmError } from "../base/index.ts";
import type { Store } from "../store/index.ts";
import { isConflict } from "./error-kinds.ts";

const MAX_TRIES = 10;

/** Removes a key whoever wrote it last; absent is as good. @throws STORE_CONFLICT when it changes faster than it can be removed */
export async function removeKey(state: Store, key: string): Promise<void> {
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const entry = await state.read(key);
    if (entry === undefined) return;
    try {
      await state.remove(key, entry.rev);
      return;
    } catch (error) {
      if (!isConflict(error)) throw error;
    }
  }
  throw new FarmError("STORE_CONFLICT", `${key} changes faster than it can be removed`, { facts: { key } });
}
