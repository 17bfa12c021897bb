import { toFarmError, type Clock, type Log } from "../base/index.ts";
import { listSharedPasswords } from "../secrets/index.ts";
import type { FarmStore } from "../store/index.ts";
import { matchesGlob } from "./password-lookup.ts";
import { distinct, MAX_TRIED, type PasswordSource } from "./passwords.ts";
import { pause } from "./pause.ts";

/** What the farm's own passwords are read with. */
export interface SharedPasswordsParts {
  /** One that opens what is sealed. */
  readonly store: FarmStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
}

type Shared = Awaited<ReturnType<typeof listSharedPasswords>>;

/** Without a hint they are looked at this often: a watch may have been cut. */
const EVERY_MS = 60_000;
const WATCH_AGAIN_MS = 5_000;

/**
 * This process's own passwords, then those that the farm keeps sealed in its store. `refresh` reads them when they changed; what cannot be read
 * leaves the former ones. Nothing is watched before the first `refresh`.
 */
export function withSharedPasswords(own: PasswordSource, parts: SharedPasswordsParts): PasswordSource {
  const { store, clock, log } = parts;
  let shared: Shared = [];
  let isDue = true;
  let readMs = Number.NEGATIVE_INFINITY;
  let problem: string | undefined;
  let watching: Promise<void> | undefined;
  const read = async (): Promise<boolean> => {
    isDue = false;
    readMs = clock.monotonicMs();
    try {
      const found = await listSharedPasswords(store.state);
      const changed = idsOf(found) !== idsOf(shared);
      shared = found;
      problem = undefined;
      return changed;
    } catch (thrown) {
      const error = toFarmError(thrown);
      // A store that is away is told by others; a farm whose keys do not fit is told once.
      if (error.message !== problem && error.code !== "STORE_UNAVAILABLE") {
        log.warn("the farm's passwords cannot be read", { problem: error.message, remedy: error.remedy });
      }
      problem = error.message;
      return false;
    }
  };
  return {
    for(file) {
      const name = file.normalize("NFC").toLowerCase();
      const fitting = shared.filter(({ files }) => files !== undefined && matchesGlob(files, name));
      const anywhere = shared.filter(({ files }) => files === undefined);
      return distinct([...own.for(file), ...[...fitting, ...anywhere].map(({ password }) => password)]).slice(0, MAX_TRIED);
    },
    async refresh() {
      watching ??= watch(parts, () => (isDue = true));
      const due = isDue || clock.monotonicMs() - readMs >= EVERY_MS;
      const changed = await Promise.all([own.refresh(), due ? read() : false]);
      return changed.includes(true);
    },
  };
}

const idsOf = (passwords: Shared): string => passwords.map(({ id, at }) => `${id}@${at}`).join();

/** Ends on abort and never rejects. */
async function watch({ store, log, signal }: SharedPasswordsParts, changed: () => void): Promise<void> {
  while (!signal.aborted) {
    try {
      for await (const change of store.state.watch("passwords", { signal })) if (change.type !== "stale") changed();
    } catch (error) {
      log.debug("watching the farm's passwords ended and is begun again", { problem: toFarmError(error).message });
    }
    await pause(WATCH_AGAIN_MS, signal);
  }
}
