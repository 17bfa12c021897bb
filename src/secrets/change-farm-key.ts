import { FarmError } from "../base/index.ts";
import type { FarmKey } from "./farm-key.ts";
import { readHolders } from "./holders.ts";
import { encodeKeyring, KEYRING_KEY } from "./keyring-record.ts";
import { addFarmKey, keepFarmKey } from "./keyring.ts";
import { requireKeyring, underLease, type RotationParts } from "./rotate-data-key.ts";

/** What became of a change of the farm key. */
export interface FarmKeyChange {
  /** Ids of the farm keys that open the farm's data keys now, the newest last. */
  readonly farmKeys: readonly string[];
  /** Processes that have told of another farm key than the newest. */
  readonly waiting: readonly string[];
}

/**
 * Wraps the data keys under a new farm key as well: from now on either opens them. Repeating it changes nothing. Nothing is sealed anew.
 * @throws SECRETS_ROTATION_UNDER_WAY when two farm keys are in use already, SECRETS_KEY_NEEDED, SECRETS_KEY_WRONG, the store's errors
 */
export async function beginFarmKeyChange(parts: RotationParts, added: FarmKey, signal: AbortSignal): Promise<FarmKeyChange> {
  const { store, secrets, clock, log } = parts;
  await secrets.found();
  return underLease(parts, signal, async () => {
    const { keyring, rev } = await requireKeyring(secrets);
    const ids = keyring.farmKeys.map(({ id }) => id);
    if (ids.includes(added.id)) return { farmKeys: ids, waiting: await waitingFor(parts, ids.at(-1)) };
    if (ids.length > 1) throw new FarmError("SECRETS_ROTATION_UNDER_WAY", `the farm key is being changed from ${ids.join(" to ")} already`);
    const next = addFarmKey(keyring, [await secrets.farmKey()], added, clock.now());
    await store.state.write(KEYRING_KEY, encodeKeyring(next), rev);
    log.info("the farm has another farm key", { farmKey: added.id });
    return { farmKeys: [...ids, added.id], waiting: await waitingFor(parts, added.id) };
  });
}

/**
 * Keeps the newest farm key alone, which has to be this process's by now. `nodes` are those that must have it.
 * @throws SECRETS_KEY_IN_USE unless `force`; SECRETS_KEY_WRONG when this process still has the former one
 */
export async function endFarmKeyChange(
  parts: RotationParts,
  settings: { readonly nodes: readonly string[]; readonly force: boolean; readonly signal: AbortSignal },
): Promise<FarmKeyChange> {
  const { store, secrets, log } = parts;
  const own = await secrets.reload();
  return underLease(parts, settings.signal, async () => {
    const { keyring, rev } = await requireKeyring(secrets);
    const newest = keyring.farmKeys.at(-1)?.id ?? "";
    if (keyring.farmKeys.length === 1) return { farmKeys: [newest], waiting: [] };
    if (own.id !== newest) {
      throw new FarmError(
        "SECRETS_KEY_WRONG",
        `the newest farm key is ${newest}; this process still has ${own.id}, from ${secrets.source?.where ?? ""}`,
      );
    }
    const waiting = await waitingFor(parts, newest, settings.nodes);
    if (waiting.length > 0 && !settings.force) {
      throw new FarmError("SECRETS_KEY_IN_USE", `${waiting.join(", ")} did not tell of the farm key ${newest} yet; nothing was changed`, {
        facts: { waiting },
      });
    }
    await store.state.write(KEYRING_KEY, encodeKeyring(keepFarmKey(keyring, own)), rev);
    log.info("the former farm key opens nothing any longer", { farmKey: newest });
    return { farmKeys: [newest], waiting };
  });
}

async function waitingFor({ store }: RotationParts, newest: string | undefined, nodes: readonly string[] = []): Promise<readonly string[]> {
  const holders = await readHolders(store.state);
  const told = new Map(holders.map(({ name, farmKey }) => [name, farmKey]));
  const names = nodes.length === 0 ? [...told.keys()] : nodes;
  return names.filter((name) => told.get(name) !== newest);
}
