/** Nothing secret in the clear: the farm key, data keys, sealed values and the store that seals and opens by itself. */
export { farmKeySource, type FarmKeySettings, type FarmKeySource } from "./farm-key-source.ts";
export type { FarmSecrets } from "./farm-secrets.ts";
export { makeFarmKeyFile } from "./new-farm-key.ts";
export { openFarmSecrets, sealFarmStore, type SecretsSettings } from "./seal-farm-store.ts";
export { openOwnKey } from "./own-key.ts";
export { seal, unseal } from "./own-seal.ts";
