import { Secret } from "../base/index.ts";
import type { Operations } from "../operations/index.ts";
import type { Handlers, LocalHandlers } from "./handler-types.ts";

type SecretHandlers = Pick<
  Handlers,
  | "certificates.add"
  | "certificates.remove"
  | "secrets.status"
  | "secrets.rotate"
  | "secrets.beginFarmKeyChange"
  | "secrets.endFarmKeyChange"
  | "secrets.passwords"
  | "secrets.addPassword"
  | "secrets.removePassword"
>;

/** Handlers of certificates that are put in and taken out, and of the farm's keys. Secrets are wrapped as soon as they are here. */
export function createSecretHandlers(operations: Operations): SecretHandlers {
  const { secrets } = operations;
  return {
    "certificates.add": ({ file, bytes, keyBytes, password, host }) =>
      operations.addCertificate({
        file,
        bytes: Buffer.from(bytes, "base64"),
        ...(keyBytes === undefined ? {} : { keyBytes: Buffer.from(keyBytes, "base64") }),
        ...(password === undefined ? {} : { password: new Secret(password) }),
        ...(host === undefined ? {} : { host }),
      }),
    "certificates.remove": ({ file }) => operations.removeCertificate(file),
    "secrets.status": () => secrets.status(),
    "secrets.rotate": (input, { signal, onProgress }) =>
      secrets.rotate({ ...input, signal, onProgress: throttled((progress) => void onProgress(progress)) }),
    "secrets.beginFarmKeyChange": ({ key }, { signal }) => secrets.beginFarmKeyChange(new Secret(key), signal),
    "secrets.endFarmKeyChange": ({ force }, { signal }) => secrets.endFarmKeyChange({ force: force === "true", signal }),
    "secrets.passwords": async () => ({ passwords: await secrets.passwords() }),
    "secrets.addPassword": ({ password, ...given }) => secrets.addPassword({ ...given, password: new Secret(password) }),
    "secrets.removePassword": async ({ id }) => {
      await secrets.removePassword(id);
      return { id };
    },
  };
}

/** Makes a farm key in this process. */
export const createLocalSecrets = (): Pick<LocalHandlers, "secrets.newKey"> => ({
  "secrets.newKey": async ({ file }) => (await import("../secrets/index.ts")).makeFarmKeyFile(file),
});

/** A farm may have 100,000 values: a line for each would be more than the work. */
const EVERY = 200;

function throttled<T extends { readonly done: number; readonly total: number }>(tell: (progress: T) => void): (progress: T) => void {
  return (progress) => {
    if (progress.done % EVERY === 0 || progress.done === progress.total) tell(progress);
  };
}
