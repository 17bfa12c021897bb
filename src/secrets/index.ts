/** Nothing secret in the clear: the farm key, data keys, sealed values and the store that seals and opens by itself. */
export { beginFarmKeyChange, endFarmKeyChange, type FarmKeyChange } from "./change-farm-key.ts";
export { FARM_KEY_OPTIONS, readFarmKeyOptions, type FarmKeyOptions } from "./farm-key-options.ts";
export { farmKeySource, type FarmKeySource } from "./farm-key-source.ts";
export { parseFarmKey } from "./farm-key.ts";
export type { FarmSecrets } from "./farm-secrets.ts";
export { followFarmKey, readHolders, type Holder } from "./holders.ts";
export { makeFarmKeyFile } from "./new-farm-key.ts";
export { openOwnKey } from "./own-key.ts";
export { seal, unseal } from "./own-seal.ts";
export { isPlainSecret } from "./plain-secret.ts";
export { rotateDataKey, type RotationOutcome, type RotationProgress } from "./rotate-data-key.ts";
export { sealFarmStore, sealStore, type SealedStore } from "./seal-farm-store.ts";
export { addSharedPassword, listSharedPasswords, removeSharedPassword, type ShownPassword } from "./shared-passwords.ts";
