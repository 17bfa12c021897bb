import { FarmError, toFarmError, type Log } from "../base/index.ts";
import type { Change, Entry, Rev, Store } from "../store/index.ts";
import { isSealed, readSealedHeader } from "./envelope.ts";
import { keyNeeded, type FarmSecrets } from "./farm-secrets.ts";
import { isSecretKey, stateName } from "./secret-places.ts";

/** How a store's secrets are kept. */
export interface SealingRules {
  readonly secrets: FarmSecrets;
  readonly log: Log;
  /**
   * Whether plain certificate files are taken, and plain secrets as long as there is no farm key: people put files into a directory by hand.
   * Never in etcd.
   */
  readonly takesPlain: boolean;
}

/** A write is done again when the data key was changed during it; a rotation is not that frequent. */
export const MAX_RESEALINGS = 3;

/** The farm's keys, with those that hold secrets sealed (secret-places.ts). */
export function sealState(state: Store, rules: SealingRules): Store {
  const openEntry = async (entry: Entry): Promise<Entry> => ({ ...entry, value: await openState(rules, entry) });
  return {
    ...passing(state),
    async read(key) {
      const entry = await state.read(key);
      if (entry === undefined || !isSecretKey(key)) return entry;
      if (rules.secrets.source === undefined || isSealed(entry.value) || (await rules.secrets.keyring()) !== undefined)
        return openEntry(entry);
      // The farm had no farm key until now: founding removes what was written in the clear.
      await rules.secrets.found();
      const again = await state.read(key);
      return again === undefined ? undefined : openEntry(again);
    },
    write: (key, value, expect) => (isSecretKey(key) ? writeSealed(state, rules, { key, value }, expect) : state.write(key, value, expect)),
    async list(prefix) {
      const entries = await state.list(prefix);
      return Promise.all(entries.map(async (entry) => (isSecretKey(entry.key) ? openEntry(entry) : entry)));
    },
    async *watch(prefix, options) {
      for await (const change of state.watch(prefix, options)) yield openChange(rules, change);
    },
  };
}

/** Methods may be inherited, so that spreading the store would lose them. */
function passing(state: Store): Store {
  return {
    tellsAll: state.tellsAll === true,
    read: (key) => state.read(key),
    write: (key, value, expect) => state.write(key, value, expect),
    remove: (key, expect) => state.remove(key, expect),
    list: (prefix) => state.list(prefix),
    watch: (prefix, options) => state.watch(prefix, options),
    putBlob: (source) => state.putBlob(source),
    getBlob: (digest, options) => state.getBlob(digest, options),
    lease: (name, ttlMs, options) => state.lease(name, ttlMs, options),
    close: () => state.close(),
  };
}

async function openState({ secrets, takesPlain }: SealingRules, { key, value }: Entry): Promise<Uint8Array> {
  const name = stateName(key);
  if (isSealed(value)) return secrets.open(name, value);
  if (secrets.source === undefined && takesPlain) return value;
  throw plainRefused(name);
}

async function writeSealed(
  state: Store,
  rules: SealingRules,
  { key, value }: { readonly key: string; readonly value: Uint8Array },
  expect: Rev | undefined,
): Promise<Rev> {
  const { secrets, takesPlain } = rules;
  const name = stateName(key);
  if (secrets.source === undefined) {
    if (takesPlain && (await secrets.keyring()) === undefined) return state.write(key, value, expect);
    throw keyNeeded(`${name} is to be written`);
  }
  const before = expect === undefined ? undefined : (await state.read(key))?.value;
  let version = nextVersion(before, name);
  let sealed = await secrets.seal(name, version, value);
  let rev = await state.write(key, sealed.bytes, expect);
  for (let more = MAX_RESEALINGS; more > 0 && !(await stays(rules, sealed.generation)); more -= 1) {
    version += 1;
    sealed = await secrets.seal(name, version, value);
    const again = await unlessTaken(state.write(key, sealed.bytes, rev));
    if (again === undefined) return await revOfSame(state, rules, { key, value }, rev);
    rev = again;
  }
  return rev;
}

/** The rotation was there first: its version of the value is ours as well. Where somebody else wrote, theirs is newer. */
async function revOfSame(
  state: Store,
  rules: SealingRules,
  { key, value }: { readonly key: string; readonly value: Uint8Array },
  written: Rev,
): Promise<Rev> {
  const entry = await state.read(key);
  if (entry === undefined || !isSealed(entry.value)) return written;
  return Buffer.from(await openState(rules, entry)).equals(value) ? entry.rev : written;
}

/** undefined when somebody else has written since. */
export async function unlessTaken<T>(writing: Promise<T>): Promise<T | undefined> {
  try {
    return await writing;
  } catch (error) {
    if (error instanceof FarmError && error.code === "STORE_CONFLICT") return undefined;
    throw error;
  }
}

/**
 * Whether what was just written may stay. When it was written before the data key was changed, the rotation finds it; when it was written
 * after that under the former key, it has to be written again. An unanswered question is no reason to tell a done write as failed.
 */
export async function stays({ secrets, log }: SealingRules, generation: number): Promise<boolean> {
  return secrets.isCurrent(generation).catch((error: unknown) => {
    log.warn("whether the data key was changed meanwhile is not known", { problem: toFarmError(error).message });
    return true;
  });
}

/** One more than the version that is replaced. What cannot be read is replaced as well. */
export function nextVersion(before: Uint8Array | undefined, name: string): number {
  if (before === undefined || !isSealed(before)) return 1;
  try {
    return readSealedHeader(before, name).version + 1;
  } catch {
    return 1;
  }
}

/** A watch must not end for one bad value: it is told as it is, and whoever decodes it says that it is no good. Reading says why. */
async function openChange(rules: SealingRules, change: Change): Promise<Change> {
  const open = async (entry: Entry): Promise<Entry> => {
    if (!isSecretKey(entry.key)) return entry;
    const value = await openState(rules, entry).catch((error: unknown) => {
      rules.log.warn("a secret of the farm cannot be opened", { key: entry.key, problem: toFarmError(error).message });
      return entry.value;
    });
    return { ...entry, value };
  };
  if (change.type === "put") return { ...change, entry: await open(change.entry) };
  if (change.type === "reset") return { ...change, entries: await Promise.all(change.entries.map(open)) };
  return change;
}

/** A secret in the clear where only sealed ones count. */
export const plainRefused = (name: string): FarmError =>
  new FarmError("SECRETS_PLAIN_REFUSED", `${name} is in the store in the clear; it is not used`, { facts: { name } });
