import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
  type KeyObject,
} from "node:crypto";

import { FarmError } from "../base/index.ts";
import type { FarmKey } from "./farm-key.ts";

/** A data key under one farm key. */
export interface WrappedKey {
  /** Id of the farm key. */
  readonly farmKey: string;
  /** Nonce, ciphertext and tag in base64. */
  readonly sealed: string;
}

/** A data key: values are sealed under the current one, and opened under the one that their header names. */
export interface Generation {
  readonly generation: number;
  readonly madeAt: number;
  readonly wraps: readonly WrappedKey[];
}

/** A farm key that opens the keyring. `proof` authenticates the whole keyring under it. */
export interface FarmKeyEntry {
  readonly id: string;
  readonly addedAt: number;
  readonly proof: string;
}

/** The farm's data keys, wrapped: the state key `secrets/keyring`. */
export interface Keyring {
  readonly form: 1;
  /** Random; sealed values are bound to it. */
  readonly farm: string;
  readonly current: number;
  /** Ascending. */
  readonly generations: readonly Generation[];
  /** Usually one; two while the farm key is changed. */
  readonly farmKeys: readonly FarmKeyEntry[];
}

/** Data keys that are kept at most: each old one waits for a rotation to be finished. */
export const MAX_GENERATIONS = 64;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const WRAP = "certfarm wrapped data key 1";
const PROOF = "certfarm keyring proof 1";

/** A keyring with its first data key. */
export function foundKeyring(farmKey: FarmKey, now: number): Keyring {
  const farm = randomBytes(16).toString("hex");
  const empty: Keyring = { form: 1, farm, current: 0, generations: [], farmKeys: [{ id: farmKey.id, addedAt: now, proof: "" }] };
  return addGeneration(empty, [farmKey], now);
}

/** With one more data key, which is the current one from then on. @throws SECRETS_ROTATION_UNDER_WAY when a farm key is missing */
export function addGeneration(keyring: Keyring, farmKeys: readonly FarmKey[], now: number): Keyring {
  requireAll(keyring, farmKeys);
  const generation = keyring.current + 1;
  const fresh = randomBytes(32);
  const wraps = farmKeys.map((farmKey) => wrap(farmKey, { farm: keyring.farm, generation }, fresh));
  return prove({ ...keyring, current: generation, generations: [...keyring.generations, { generation, madeAt: now, wraps }] }, farmKeys);
}

/** Without every data key but the current one. @throws SECRETS_ROTATION_UNDER_WAY when a farm key is missing */
export function dropOldGenerations(keyring: Keyring, farmKeys: readonly FarmKey[]): Keyring {
  requireAll(keyring, farmKeys);
  return prove({ ...keyring, generations: keyring.generations.filter(({ generation }) => generation === keyring.current) }, farmKeys);
}

/** Every data key under `added` as well. @throws SECRETS_KEY_WRONG */
export function addFarmKey(keyring: Keyring, farmKeys: readonly FarmKey[], added: FarmKey, now: number): Keyring {
  requireAll(keyring, farmKeys);
  const keys = openKeyring(keyring, farmKeys);
  const generations = keyring.generations.map((entry) => {
    const key = keys.get(entry.generation);
    if (key === undefined) throw damaged(`its data key ${entry.generation} is not under every farm key`);
    return { ...entry, wraps: [...entry.wraps, wrap(added, { farm: keyring.farm, generation: entry.generation }, key.export())] };
  });
  return prove({ ...keyring, generations, farmKeys: [...keyring.farmKeys, { id: added.id, addedAt: now, proof: "" }] }, [
    ...farmKeys,
    added,
  ]);
}

/** Under `kept` alone. @throws SECRETS_KEY_WRONG */
export function keepFarmKey(keyring: Keyring, kept: FarmKey): Keyring {
  openKeyring(keyring, [kept]);
  const generations = keyring.generations.map((entry) => ({ ...entry, wraps: entry.wraps.filter(({ farmKey }) => farmKey === kept.id) }));
  return prove({ ...keyring, generations, farmKeys: keyring.farmKeys.filter(({ id }) => id === kept.id) }, [kept]);
}

/**
 * The data keys by generation, once the keyring is proved to come from a holder of one of these farm keys.
 * @throws SECRETS_KEY_WRONG, SECRETS_KEYRING_DAMAGED
 */
export function openKeyring(keyring: Keyring, farmKeys: readonly FarmKey[]): ReadonlyMap<number, KeyObject> {
  const farmKey = farmKeys.find(({ id }) => keyring.farmKeys.some((entry) => entry.id === id));
  if (farmKey === undefined) throw wrongKey(keyring, farmKeys);
  const proof = Buffer.from(keyring.farmKeys.find(({ id }) => id === farmKey.id)?.proof ?? "", "base64");
  const wanted = proofOf(keyring, farmKey);
  if (proof.byteLength !== wanted.byteLength || !timingSafeEqual(proof, wanted)) throw damaged("its proof does not fit");
  return new Map(
    keyring.generations.map((entry) => {
      const found = entry.wraps.find((one) => one.farmKey === farmKey.id);
      if (found === undefined) throw damaged(`its data key ${entry.generation} is not under the farm key ${farmKey.id}`);
      return [entry.generation, createSecretKey(unwrap(farmKey, { farm: keyring.farm, generation: entry.generation }, found))];
    }),
  );
}

interface WrapPlace {
  readonly farm: string;
  readonly generation: number;
}

const wrapData = (farmKey: FarmKey, { farm, generation }: WrapPlace): Buffer =>
  Buffer.from(JSON.stringify([WRAP, farm, generation, farmKey.id]));

function wrap(farmKey: FarmKey, place: WrapPlace, dataKey: Uint8Array): WrappedKey {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", derived(farmKey, WRAP), nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(wrapData(farmKey, place));
  const sealed = Buffer.concat([nonce, cipher.update(dataKey), cipher.final(), cipher.getAuthTag()]);
  return { farmKey: farmKey.id, sealed: sealed.toString("base64") };
}

function unwrap(farmKey: FarmKey, place: WrapPlace, { sealed }: WrappedKey): Uint8Array {
  const bytes = Buffer.from(sealed, "base64");
  if (bytes.byteLength !== NONCE_BYTES + 32 + TAG_BYTES) throw damaged(`its data key ${place.generation} is cut short`);
  const decipher = createDecipheriv("aes-256-gcm", derived(farmKey, WRAP), bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(wrapData(farmKey, place));
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
  } catch {
    throw damaged(`its data key ${place.generation} was changed`);
  }
}

/** One key for each use of a farm key. */
const derived = ({ key }: FarmKey, use: string): Uint8Array => new Uint8Array(hkdfSync("sha256", key, "", use, 32));

function prove(keyring: Keyring, farmKeys: readonly FarmKey[]): Keyring {
  const proofs = new Map(farmKeys.map((farmKey) => [farmKey.id, proofOf(keyring, farmKey).toString("base64")]));
  return { ...keyring, farmKeys: keyring.farmKeys.map((entry) => ({ ...entry, proof: proofs.get(entry.id) ?? "" })) };
}

/** Over everything but the proofs, in an order of its own. */
function proofOf({ form, farm, current, generations, farmKeys }: Keyring, farmKey: FarmKey): Buffer {
  const told = [
    form,
    farm,
    current,
    generations.map(({ generation, madeAt, wraps }) => [generation, madeAt, wraps.map((one) => [one.farmKey, one.sealed])]),
    farmKeys.map(({ id, addedAt }) => [id, addedAt]),
  ];
  return createHmac("sha256", derived(farmKey, PROOF)).update(JSON.stringify(told)).digest();
}

/** A change of the keyring is proved under each farm key, so each has to be at hand. */
function requireAll(keyring: Keyring, farmKeys: readonly FarmKey[]): void {
  const missing = keyring.farmKeys.filter(({ id }) => !farmKeys.some((farmKey) => farmKey.id === id));
  if (missing.length === 0) return;
  if (missing.length === keyring.farmKeys.length) throw wrongKey(keyring, farmKeys);
  const names = missing.map(({ id }) => id).join(", ");
  throw new FarmError("SECRETS_ROTATION_UNDER_WAY", `the farm key is being changed, and ${names} is not at hand: finish that first`);
}

function wrongKey(keyring: Keyring, farmKeys: readonly FarmKey[]): FarmError {
  const wanted = keyring.farmKeys.map(({ id }) => id).join(" or ");
  const given = farmKeys.map(({ id }) => id).join(", ");
  return new FarmError("SECRETS_KEY_WRONG", `the farm's data keys are under the farm key ${wanted}; this process has ${given}`, {
    facts: { wanted: keyring.farmKeys.map(({ id }) => id) },
  });
}

const damaged = (problem: string): FarmError => new FarmError("SECRETS_KEYRING_DAMAGED", `secrets/keyring: ${problem}`);
