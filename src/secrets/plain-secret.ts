import { isSealed } from "./envelope.ts";
import { isSecretKey } from "./secret-places.ts";

/** Whether a file or key of a store (`certificates/…`, `state/…`) is a secret that anybody who has the store could read: etcd takes none. */
export function isPlainSecret(name: string, bytes: Uint8Array): boolean {
  const isSecret = name.startsWith("certificates/") || (name.startsWith("state/") && isSecretKey(name.slice("state/".length)));
  return isSecret && !isSealed(bytes);
}
