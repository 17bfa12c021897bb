import { FarmError, toFarmError, type Clock, type Log } from "../base/index.ts";
import type { FarmStore, Lease } from "../store/index.ts";
import { isSealed, readSealedHeader } from "./envelope.ts";
import type { FarmSecrets, KeyringEntry } from "./farm-secrets.ts";
import { encodeKeyring, KEYRING_KEY } from "./keyring-record.ts";
import { addGeneration, dropOldGenerations, type Keyring } from "./keyring.ts";
import { removePlainSecrets } from "./seal-farm-store.ts";
import { certificateName, isSecretKey, MAX_CERTIFICATE_BYTES, SECRET_PREFIXES, stateName } from "./secret-places.ts";

/** What a rotation works on: the store as it is, not one that opens by itself. */
export interface RotationParts {
  readonly store: FarmStore;
  readonly secrets: FarmSecrets;
  readonly clock: Clock;
  readonly log: Log;
}

/** How a rotation is done. */
export interface RotationSettings {
  readonly signal: AbortSignal;
  /** Seals certificate files that are in the clear as well. @default false */
  readonly sealFiles?: boolean;
  readonly onProgress?: (progress: RotationProgress) => void;
}

/** How far one pass over everything is. */
export interface RotationProgress {
  readonly done: number;
  readonly total: number;
  /** Values that were sealed anew, over all passes. */
  readonly resealed: number;
}

/** What a rotation did. */
export interface RotationOutcome {
  /** The current data key. */
  readonly generation: number;
  readonly resealed: number;
  /** Certificate files in the clear, which were left as they are. */
  readonly plain: number;
  /** Secret keys in the clear, which were removed. */
  readonly removed: readonly string[];
  /** Values that cannot be opened, the first of them with why. While there are any, former data keys are kept. */
  readonly unreadable: readonly { readonly name: string; readonly problem: string }[];
  /** Former data keys that nothing uses any longer. */
  readonly dropped: readonly number[];
  /** False: others kept writing under a former data key; run it again. */
  readonly finished: boolean;
}

const LEASE = "secrets-rotation";
const LEASE_MS = 15_000;
const MAX_PASSES = 6;
const AT_ONCE = 8;
const MAX_TOLD = 20;

/**
 * Makes a new data key, or goes on with one that an earlier rotation left, seals everything anew under it, value by value and only over the
 * version that was read, and drops the former data keys when nothing uses them. The farm goes on meanwhile; a crash loses nothing.
 * @throws SECRETS_ROTATION_UNDER_WAY, SECRETS_KEY_NEEDED, SECRETS_KEY_WRONG, CANCELLED, the store's errors
 */
export async function rotateDataKey(parts: RotationParts, settings: RotationSettings): Promise<RotationOutcome> {
  await parts.secrets.found();
  return underLease(parts, settings.signal, async (lease) => {
    const signal = AbortSignal.any([settings.signal, lease.lost]);
    const keyring = await beginGeneration(parts);
    const removed = await removePlainSecrets(parts.store, parts.log);
    const walk = new Reseal(parts, { ...settings, signal }, keyring);
    let settled = false;
    for (let pass = 1; pass <= MAX_PASSES && !settled; pass += 1) settled = await walk.pass();
    const isDone = settled && walk.unreadable.length === 0;
    const dropped = isDone ? await dropFormer(parts) : [];
    const { resealed, plain, unreadable } = walk;
    return { generation: keyring.current, resealed, plain, removed, unreadable, dropped, finished: settled };
  });
}

/** One change of the farm's keys at a time. @throws SECRETS_ROTATION_UNDER_WAY */
export async function underLease<T>(
  { store }: Pick<RotationParts, "store">,
  signal: AbortSignal,
  work: (lease: Lease) => Promise<T>,
): Promise<T> {
  const lease = await store.state.lease(LEASE, LEASE_MS, { signal });
  if (lease === undefined) throw new FarmError("SECRETS_ROTATION_UNDER_WAY", "the farm's keys are being changed by another process");
  try {
    return await work(lease);
  } finally {
    await lease.release();
  }
}

/** @throws SECRETS_KEYRING_LOST */
export async function requireKeyring(secrets: FarmSecrets): Promise<KeyringEntry> {
  const entry = await secrets.keyring();
  if (entry === undefined) throw new FarmError("SECRETS_KEYRING_LOST", `the store has no ${KEYRING_KEY}`);
  return entry;
}

/** More than one data key: an earlier rotation was not finished, and is gone on with. */
async function beginGeneration({ store, secrets, clock, log }: RotationParts): Promise<Keyring> {
  const { keyring, rev } = await requireKeyring(secrets);
  if (keyring.generations.length > 1) return keyring;
  const next = addGeneration(keyring, [await secrets.farmKey()], clock.now());
  await store.state.write(KEYRING_KEY, encodeKeyring(next), rev);
  log.info("the farm has a new data key", { generation: next.current });
  return next;
}

async function dropFormer({ store, secrets, log }: RotationParts): Promise<readonly number[]> {
  const { keyring, rev } = await requireKeyring(secrets);
  const dropped = keyring.generations.map(({ generation }) => generation).filter((generation) => generation !== keyring.current);
  if (dropped.length === 0) return [];
  await store.state.write(KEYRING_KEY, encodeKeyring(dropOldGenerations(keyring, [await secrets.farmKey()])), rev);
  log.info("former data keys are dropped: nothing uses them", { generations: dropped.map(String) });
  return dropped;
}

/** Something sealed, wherever it is. */
interface Sealed {
  readonly name: string;
  /** undefined = it went away. */
  read(): Promise<Uint8Array | undefined>;
  /** Over the version that was read last. @throws STORE_CONFLICT */
  write(bytes: Uint8Array): Promise<void>;
}

class Reseal {
  resealed = 0;
  plain = 0;
  unreadable: { name: string; problem: string }[] = [];
  readonly #parts: RotationParts;
  readonly #settings: RotationSettings;
  readonly #current: number;

  constructor(parts: RotationParts, settings: RotationSettings, keyring: Keyring) {
    this.#parts = parts;
    this.#settings = settings;
    this.#current = keyring.current;
  }

  /** Looks at everything once. True: nothing was, or is, under a former data key. */
  async pass(): Promise<boolean> {
    const { store } = this.#parts;
    const { signal, onProgress } = this.#settings;
    this.plain = 0;
    this.unreadable = [];
    const keys = (await Promise.all(SECRET_PREFIXES.map((prefix) => store.state.list(prefix)))).flat().map(({ key }) => key);
    const files = await store.folder("certificates").names();
    const total = keys.length + files.length;
    let done = 0;
    let settled = true;
    const items = everything(store, keys, files);
    const lane = async (): Promise<void> => {
      for (const item of items) {
        if (signal.aborted)
          throw new FarmError("CANCELLED", "the rotation was ended; run it again to go on with it", { cause: signal.reason });
        settled = (await this.#visit(item)) && settled;
        done += 1;
        onProgress?.({ done, total, resealed: this.resealed });
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
    return settled;
  }

  /** True: it is as it should be, and was so before. */
  async #visit(item: Sealed): Promise<boolean> {
    const bytes = await item.read();
    if (bytes === undefined) return true;
    try {
      if (!isSealed(bytes)) return await this.#visitPlain(item, bytes);
      const { generation, version } = readSealedHeader(bytes, item.name);
      const plain = await this.#parts.secrets.open(item.name, bytes);
      if (generation !== this.#current) await this.#write(item, version + 1, plain);
      return generation === this.#current;
    } catch (thrown) {
      const error = toFarmError(thrown);
      if (error.code === "STORE_CONFLICT") return false; // somebody wrote it: the next pass looks again
      if (error.code.startsWith("STORE_")) throw error;
      if (this.unreadable.length < MAX_TOLD) this.unreadable.push({ name: item.name, problem: error.message });
      return true;
    }
  }

  async #visitPlain(item: Sealed, bytes: Uint8Array): Promise<boolean> {
    if (isSecretKey(item.name.replace(/^state\//, ""))) return false; // written in the clear meanwhile: refused by all, and removed the next time
    if (this.#settings.sealFiles === true) {
      await this.#write(item, 1, bytes);
      return false;
    }
    this.plain += 1;
    return true;
  }

  async #write(item: Sealed, version: number, plain: Uint8Array): Promise<void> {
    const sealed = await this.#parts.secrets.seal(item.name, version, plain);
    await item.write(sealed.bytes);
    this.resealed += 1;
  }
}

/** One iterator for all lanes. Nothing is read before its turn. */
function* everything(store: FarmStore, keys: readonly string[], files: readonly string[]): Generator<Sealed> {
  for (const key of keys) yield sealedKey(store, key);
  for (const file of files) yield sealedFile(store, file);
}

function sealedKey({ state }: FarmStore, key: string): Sealed {
  let entry: Awaited<ReturnType<typeof state.read>>;
  return {
    name: stateName(key),
    async read() {
      entry = await state.read(key);
      return entry?.value;
    },
    async write(bytes) {
      await state.write(key, bytes, entry?.rev);
    },
  };
}

function sealedFile(store: FarmStore, file: string): Sealed {
  const folder = store.folder("certificates");
  let stamp = "";
  return {
    name: certificateName(file),
    async read() {
      const found = await folder.read(file, { maxBytes: MAX_CERTIFICATE_BYTES }).catch(tooLarge);
      stamp = found?.stat.stamp ?? "";
      return found?.bytes;
    },
    async write(bytes) {
      await folder.put(file, bytes, { expect: stamp });
    },
  };
}

/** No certificate: certfarm never wrote it. */
function tooLarge(error: unknown): undefined {
  if (error instanceof FarmError && error.code === "STORE_VALUE_TOO_LARGE") return undefined;
  throw error;
}
