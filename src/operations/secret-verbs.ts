import { FarmError, toFarmError, type Secret } from "../base/index.ts";
import {
  addSharedPassword,
  beginFarmKeyChange,
  endFarmKeyChange,
  listSharedPasswords,
  parseFarmKey,
  readHolders,
  removeSharedPassword,
  rotateDataKey,
  type FarmKeyChange,
  type Holder,
  type RotationOutcome,
  type RotationProgress,
  type SealedStore,
  type ShownPassword,
} from "../secrets/index.ts";
import type { OperationsParts } from "./parts.ts";
import type { FarmView } from "./present-farm.ts";

/** The farm's keys, without any of them. */
export interface SecretsStatus {
  /** Whether there is a keyring, so that secrets in the clear are refused. */
  readonly sealed: boolean;
  /** Where the admin API's farm key comes from; absent = it has none. */
  readonly source?: string;
  /** Id of the admin API's farm key. */
  readonly farmKey?: string;
  /** Why the admin API cannot open the farm's secrets. */
  readonly problem?: string;
  /** Farm keys that open the data keys; the newest last. */
  readonly farmKeys: readonly { readonly id: string; readonly addedAt: number }[];
  /** Data keys; the current one last. */
  readonly dataKeys: readonly { readonly generation: number; readonly madeAt: number }[];
  /** Which farm key each node told of last. */
  readonly holders: readonly Holder[];
}

/** Keys of the farm and passwords of its certificate files. */
export interface SecretVerbs {
  status(): Promise<SecretsStatus>;
  /** @throws as rotateDataKey */
  rotate(settings: {
    readonly sealFiles?: boolean;
    readonly signal: AbortSignal;
    readonly onProgress?: (progress: RotationProgress) => void;
  }): Promise<RotationOutcome>;
  /** `key`: 32 octets in base64. @throws SECRETS_KEY_INVALID and as beginFarmKeyChange */
  beginFarmKeyChange(key: Secret, signal: AbortSignal): Promise<FarmKeyChange>;
  /** Waits for the nodes of the present configuration. @throws as endFarmKeyChange */
  endFarmKeyChange(settings: { readonly force?: boolean; readonly signal: AbortSignal }): Promise<FarmKeyChange>;
  passwords(): Promise<readonly ShownPassword[]>;
  /** @throws SECRETS_KEY_NEEDED */
  addPassword(given: { readonly password: Secret; readonly files?: string; readonly by?: string }): Promise<ShownPassword>;
  /** @throws SECRETS_PASSWORD_UNKNOWN */
  removePassword(id: string): Promise<void>;
}

/** The verbs over a sealed store. */
export function createSecretVerbs(parts: OperationsParts, farm: FarmView): SecretVerbs {
  const { clock, log } = parts;
  const sealed = (): SealedStore => {
    if (parts.sealed === undefined) throw new FarmError("SECRETS_KEY_NEEDED", "this process does not work with the farm's secrets");
    return parts.sealed;
  };
  const rotation = (): Parameters<typeof rotateDataKey>[0] => ({ store: sealed().kept, secrets: sealed().secrets, clock, log });
  /** Passwords are kept sealed or not at all: without a keyring, a directory store would take them in the clear. */
  const requireKey = async (): Promise<void> => {
    await sealed().secrets.farmKey();
    await sealed().secrets.found();
  };
  return {
    status: () => readSecretsStatus(sealed()),
    rotate: (settings) => rotateDataKey(rotation(), settings),
    beginFarmKeyChange: async (key, signal) =>
      beginFarmKeyChange(rotation(), parseFarmKey(Buffer.from(key.reveal()), "the new farm key"), signal),
    async endFarmKeyChange({ force = false, signal }) {
      const nodes = ((await farm.present()).config?.nodes ?? []).map(({ name }) => name);
      return endFarmKeyChange(rotation(), { nodes, force, signal });
    },
    async passwords() {
      return (await listSharedPasswords(parts.store.state)).map(({ password: _secret, ...shown }) => shown);
    },
    async addPassword({ password, files, by = parts.by }) {
      await requireKey();
      return addSharedPassword(parts.store.state, { password, by, at: clock.now(), ...(files === undefined ? {} : { files }) });
    },
    removePassword: (id) => removeSharedPassword(sealed().kept.state, id),
  };
}

async function readSecretsStatus({ kept, secrets }: SealedStore): Promise<SecretsStatus> {
  const entry = await secrets.keyring();
  const own = secrets.source === undefined ? {} : { source: secrets.source.where, ...(await ownKey(secrets)) };
  return {
    sealed: entry !== undefined,
    ...own,
    farmKeys: (entry?.keyring.farmKeys ?? []).map(({ id, addedAt }) => ({ id, addedAt })),
    dataKeys: (entry?.keyring.generations ?? []).map(({ generation, madeAt }) => ({ generation, madeAt })),
    holders: await readHolders(kept.state),
  };
}

async function ownKey(secrets: SealedStore["secrets"]): Promise<{ readonly farmKey?: string; readonly problem?: string }> {
  try {
    return { farmKey: (await secrets.reload()).id };
  } catch (error) {
    return { problem: toFarmError(error).message };
  }
}
