import type { KeyObject } from "node:crypto";

import { FarmError, type Clock, type Log } from "../base/index.ts";
import type { Rev, Store } from "../store/index.ts";
import { openValue, readSealedHeader, sealValue } from "./envelope.ts";
import type { FarmKeySource } from "./farm-key-source.ts";
import type { FarmKey } from "./farm-key.ts";
import { decodeKeyring, encodeKeyring, KEYRING_KEY } from "./keyring-record.ts";
import { foundKeyring, openKeyring, type Keyring } from "./keyring.ts";

/** What this process can do with the farm's secrets. */
export interface FarmSecrets {
  /** Where the farm key comes from; undefined = there is none here. */
  readonly source: FarmKeySource | undefined;
  /**
   * The plaintext of a sealed value. @throws SECRETS_KEY_NEEDED, SECRETS_KEY_WRONG, SECRETS_TAMPERED, SECRETS_GENERATION_UNKNOWN,
   * SECRETS_KEYRING_DAMAGED, SECRETS_KEYRING_LOST, SECRETS_NEWER, the farm key's errors and the store's
   */
  open(name: string, bytes: Uint8Array): Promise<Uint8Array>;
  /** Seals under the current data key; `version` counts the writes of the name. Founds the farm's keyring when there is none. */
  seal(name: string, version: number, plain: Uint8Array): Promise<SealedBytes>;
  /** Whether values sealed under this data key may stay: asked of the store itself, after a write. */
  isCurrent(generation: number): Promise<boolean>;
  /** The keyring as it is in the store now; undefined = nothing was ever sealed. */
  keyring(): Promise<KeyringEntry | undefined>;
  /** Makes the keyring unless there is one. */
  found(): Promise<void>;
  /** The farm key as it was loaded last. @throws SECRETS_KEY_NEEDED and the source's errors */
  farmKey(): Promise<FarmKey>;
  /** Loads the farm key again, which may have been replaced. @throws as farmKey */
  reload(): Promise<FarmKey>;
}

/** A sealed value and what it was sealed under. */
export interface SealedBytes {
  readonly bytes: Uint8Array;
  readonly generation: number;
}

/** The keyring with its version in the store. */
export interface KeyringEntry {
  readonly keyring: Keyring;
  readonly rev: Rev;
}

/** What FarmSecrets needs. */
export interface SecretsParts {
  readonly state: Store;
  readonly source: FarmKeySource | undefined;
  readonly clock: Clock;
  readonly log: Log;
  /** Done before a keyring is made. @throws SECRETS_KEYRING_LOST when there are sealed values already */
  readonly prepare: () => Promise<void>;
}

/** A farm key that opens nothing is loaded again at most this often: a wrong one must not run a KMS client for each file. */
const RELOAD_MS = 5_000;

/** The farm's secrets over the store's own keys. Data keys are held in memory and looked for again when a value names another one. */
export function createFarmSecrets(parts: SecretsParts): FarmSecrets {
  return new KeptKeys(parts);
}

interface Opened extends KeyringEntry {
  readonly keys: ReadonlyMap<number, KeyObject>;
}

class KeptKeys implements FarmSecrets {
  readonly source: FarmKeySource | undefined;
  readonly #parts: SecretsParts;
  #farmKey: Promise<FarmKey> | undefined;
  #loadedMs = Number.NEGATIVE_INFINITY;
  #opened: Opened | undefined;
  #looking: Promise<Opened | undefined> | undefined;

  constructor(parts: SecretsParts) {
    this.#parts = parts;
    this.source = parts.source;
  }

  async open(name: string, bytes: Uint8Array): Promise<Uint8Array> {
    const { generation } = readSealedHeader(bytes, name);
    if (this.source === undefined) throw keyNeeded(`${name} is sealed`);
    const opened = this.#opened?.keys.has(generation) === true ? this.#opened : await this.#shared();
    if (opened === undefined) throw new FarmError("SECRETS_KEYRING_LOST", `${name} is sealed, and the store has no ${KEYRING_KEY}`);
    const key = opened.keys.get(generation);
    if (key === undefined) {
      const problem = `${name} is sealed under data key ${generation}; the farm has up to ${opened.keyring.current}, and dropped it`;
      throw new FarmError("SECRETS_GENERATION_UNKNOWN", problem, { facts: { name, generation } });
    }
    return openValue(key, { farm: opened.keyring.farm, name }, bytes);
  }

  async seal(name: string, version: number, plain: Uint8Array): Promise<SealedBytes> {
    if (this.source === undefined) throw keyNeeded(`${name} is to be sealed`);
    const { keyring, keys } = (await this.#look()) ?? (await this.#found());
    const key = keys.get(keyring.current);
    if (key === undefined)
      throw new FarmError("SECRETS_KEYRING_DAMAGED", `${KEYRING_KEY}: its current data key ${keyring.current} is absent`);
    const header = { generation: keyring.current, version };
    return { bytes: sealValue(key, { farm: keyring.farm, name }, header, plain), generation: keyring.current };
  }

  async isCurrent(generation: number): Promise<boolean> {
    return (await this.#look())?.keyring.current === generation;
  }

  async keyring(): Promise<KeyringEntry | undefined> {
    const entry = await this.#parts.state.read(KEYRING_KEY);
    return entry === undefined ? undefined : { keyring: decodeKeyring(entry.value), rev: entry.rev };
  }

  async found(): Promise<void> {
    if ((await this.#look()) === undefined) await this.#found();
  }

  farmKey(): Promise<FarmKey> {
    return this.#farmKey ?? this.reload();
  }

  reload(): Promise<FarmKey> {
    const { clock } = this.#parts;
    if (this.source === undefined) return Promise.reject(keyNeeded("The farm's keys are to be opened"));
    const former = this.#farmKey;
    const loading = this.source.load();
    this.#loadedMs = clock.monotonicMs();
    this.#farmKey = loading;
    // What cannot be loaded now does not take away what was.
    loading.catch(() => {
      if (this.#farmKey === loading) this.#farmKey = former;
    });
    return loading;
  }

  /** Handshakes of a node that starts ask for many files at once: one look answers all of them. */
  #shared(): Promise<Opened | undefined> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #look(): Promise<Opened | undefined> {
    const entry = await this.#parts.state.read(KEYRING_KEY);
    if (entry === undefined) return undefined;
    if (entry.rev === this.#opened?.rev) return this.#opened;
    const keyring = decodeKeyring(entry.value);
    this.#opened = { keyring, rev: entry.rev, keys: await this.#unlock(keyring) };
    return this.#opened;
  }

  async #unlock(keyring: Keyring): Promise<ReadonlyMap<number, KeyObject>> {
    const farmKey = await this.farmKey();
    if (keyring.farmKeys.some(({ id }) => id === farmKey.id)) return openKeyring(keyring, [farmKey]);
    // The farm key was changed, and the file that it came from may have been by now.
    const isDue = this.#parts.clock.monotonicMs() - this.#loadedMs >= RELOAD_MS;
    return openKeyring(keyring, [isDue ? await this.reload() : farmKey]);
  }

  async #found(): Promise<Opened> {
    const { state, clock, prepare, log } = this.#parts;
    const farmKey = await this.farmKey();
    await prepare();
    const keyring = foundKeyring(farmKey, clock.now());
    try {
      await state.write(KEYRING_KEY, encodeKeyring(keyring), undefined);
      log.info("the farm's secrets are sealed from now on", { farmKey: farmKey.id });
    } catch (error) {
      // Another process was first, or the answer was lost: what is there now counts.
      const isDoubt = error instanceof FarmError && (error.code === "STORE_CONFLICT" || error.code === "STORE_UNKNOWN");
      if (!isDoubt) throw error;
    }
    const opened = await this.#look();
    if (opened === undefined) throw new FarmError("STORE_UNAVAILABLE", `${KEYRING_KEY} was written and is not there`);
    return opened;
  }
}

/** A process without a farm key met a sealed value, or one that must be. */
export const keyNeeded = (what: string): FarmError =>
  new FarmError("SECRETS_KEY_NEEDED", `${what}, and this process was given no farm key`);
