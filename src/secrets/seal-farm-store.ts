import { FarmError, type Clock, type Log } from "../base/index.ts";
import type { FarmStore } from "../store/index.ts";
import { isSealed } from "./envelope.ts";
import type { FarmKeySource } from "./farm-key-source.ts";
import { createFarmSecrets, type FarmSecrets } from "./farm-secrets.ts";
import { KEYRING_KEY } from "./keyring-record.ts";
import { sealFolder } from "./sealed-folder.ts";
import { sealState, type SealingRules } from "./sealed-state.ts";
import { MAX_CERTIFICATE_BYTES, SECRET_PREFIXES } from "./secret-places.ts";

/** What the farm's secrets are opened with. */
export interface SecretsSettings {
  /** undefined: no farm key here. Sealed values are refused then, and a directory store goes on in the clear as long as nothing was ever sealed. */
  readonly source: FarmKeySource | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/** A store that opens and seals by itself. */
export interface SealedStore {
  readonly store: FarmStore;
  /** What is in it as it is kept: for rotations and copies. */
  readonly kept: FarmStore;
  readonly secrets: FarmSecrets;
}

/** Puts the farm's secrets before a store. Closing the sealed one closes the other. */
export function sealStore(kept: FarmStore, settings: SecretsSettings): SealedStore {
  const secrets = openFarmSecrets(kept, settings);
  return { store: sealFarmStore(kept, secrets, settings.log), kept, secrets };
}

/** The secrets of the farm in this store. Nothing is read before something sealed is met. */
function openFarmSecrets(store: FarmStore, { source, clock, log }: SecretsSettings): FarmSecrets {
  const prepare = async (): Promise<void> => {
    await requireNothingSealed(store);
    await removePlainSecrets(store, log);
  };
  return createFarmSecrets({ state: store.state, source, clock, log, prepare });
}

/**
 * A store whose certificates and secret keys are sealed as they are written and opened as they are read (docs/secrets.md). Closing it closes the
 * store. Everything else passes through as it is.
 */
export function sealFarmStore(store: FarmStore, secrets: FarmSecrets, log: Log): FarmStore {
  const rules: SealingRules = { secrets, log, takesPlain: takesPlain(store) };
  const state = sealState(store.state, rules);
  const certificates = sealFolder(store.folder("certificates"), rules);
  return {
    state,
    folder: (name) => (name === "certificates" ? certificates : store.folder(name)),
    location: store.location,
    farmId: () => store.farmId(),
    close: () => store.close(),
  };
}

/** Whether certificates may be in the clear: etcd is read by whoever has its password or a member's disk; only a directory is a place for people's own files. */
const takesPlain = ({ location }: Pick<FarmStore, "location">): boolean => !/^etcds?:/.test(location);

/** How many files are looked at before a keyring is made: with a lost one, they are all sealed. */
const LOOKED_AT = 8;

/** A new keyring beside values of a former one would hide that the former one has to be restored. */
async function requireNothingSealed(store: FarmStore): Promise<void> {
  const folder = store.folder("certificates");
  const names = await folder.names();
  const step = Math.max(1, Math.floor(names.length / LOOKED_AT));
  for (let at = 0; at < names.length; at += step) {
    const name = names[at] ?? "";
    const file = await folder.read(name, { maxBytes: MAX_CERTIFICATE_BYTES }).catch(tooLargeIsPlain);
    if (file !== undefined && isSealed(file.bytes)) throw lost(`certificates/${name}`);
  }
  for (const { key, value } of await secretEntries(store)) if (isSealed(value)) throw lost(`state/${key}`);
}

function tooLargeIsPlain(error: unknown): undefined {
  if (error instanceof FarmError && error.code === "STORE_VALUE_TOO_LARGE") return undefined;
  throw error;
}

const lost = (name: string): FarmError => new FarmError("SECRETS_KEYRING_LOST", `${name} is sealed, and the store has no ${KEYRING_KEY}`);

async function secretEntries(store: FarmStore) {
  return (await Promise.all(SECRET_PREFIXES.map((prefix) => store.state.list(prefix)))).flat();
}

/** Secrets that were readable by others are not sealed but made anew: ticket keys by the node with the duties. */
export async function removePlainSecrets(store: FarmStore, log: Log): Promise<readonly string[]> {
  const removed: string[] = [];
  for (const { key, value, rev } of await secretEntries(store)) {
    if (isSealed(value)) continue;
    try {
      await store.state.remove(key, rev);
      removed.push(key);
    } catch (error) {
      if (!(error instanceof FarmError) || error.code !== "STORE_CONFLICT") throw error; // it was replaced meanwhile
    }
  }
  if (removed.length > 0) log.warn("secrets in the clear were removed from the store", { keys: removed });
  return removed;
}
