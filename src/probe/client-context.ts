import { createSecureContext, type SecureContext, type SecureContextOptions } from "node:tls";

import { LRUCache } from "lru-cache";

/** What makes one TLS client different from another. */
export interface ClientSettings {
  /** PEM roots to verify against; absent = the roots that Node brings. */
  readonly ca?: readonly string[];
  readonly minVersion?: "TLSv1" | "TLSv1.1" | "TLSv1.2" | "TLSv1.3";
  readonly maxVersion?: "TLSv1" | "TLSv1.1" | "TLSv1.2" | "TLSv1.3";
  /** OpenSSL's list, e.g. `ecdsa_secp256r1_sha256`: decides whether a server with both shows its RSA or ECDSA certificate. */
  readonly sigalgs?: string;
  readonly ciphers?: string;
  /** Whether the chain is checked; without it no roots are loaded. */
  readonly verify: boolean;
}

/**
 * Making a context costs about as much as a handshake, so those in use are kept. A client context holds no sessions of
 * its own (OpenSSL's internal client cache is off in Node): nothing of one probe reaches the next.
 */
const contexts = new LRUCache<string, SecureContext>({ max: 32 });

/** The context for these settings. @throws what OpenSSL says of a bad cipher list, signature algorithm or root */
export function clientContext(settings: ClientSettings): SecureContext {
  const options: SecureContextOptions = {
    ...(settings.minVersion === undefined ? {} : { minVersion: settings.minVersion }),
    ...(settings.maxVersion === undefined ? {} : { maxVersion: settings.maxVersion }),
    ...(settings.sigalgs === undefined ? {} : { sigalgs: settings.sigalgs }),
    ...(settings.ciphers === undefined ? {} : { ciphers: settings.ciphers }),
    ...(settings.verify ? (settings.ca === undefined ? {} : { ca: [...settings.ca] }) : { ca: [] }),
  };
  const key = JSON.stringify(options);
  let context = contexts.get(key);
  if (context === undefined) {
    context = createSecureContext(options);
    contexts.set(key, context);
  }
  return context;
}
