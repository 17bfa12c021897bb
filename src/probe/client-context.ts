import { createSecureContext, type SecureContext, type SecureContextOptions } from "node:tls";

import { LRUCache } from "lru-cache";

/** What makes one TLS client different from another. */
export interface ClientSettings {
  /** PEM roots to verify against; absent = the roots that Node brings. Give the same array again: contexts are kept by it. */
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
 * Making a context costs about as much as a handshake, and loading roots ten times that, so those in use are kept. A client context
 * holds no sessions of its own (OpenSSL's internal client cache is off in Node): nothing of one probe reaches the next.
 */
const contexts = new LRUCache<string, SecureContext>({ max: 32 });

/** Roots by number: their text would be a key of half a megabyte. */
const rootNumbers = new WeakMap<readonly string[], number>();
let nextRoots = 1;

function rootsKey({ verify, ca }: ClientSettings): string {
  if (!verify) return "none";
  if (ca === undefined) return "node";
  let number = rootNumbers.get(ca);
  if (number === undefined) {
    number = nextRoots++;
    rootNumbers.set(ca, number);
  }
  return String(number);
}

/** The context for these settings. @throws what OpenSSL says of a bad cipher list, signature algorithm or root */
export function clientContext(settings: ClientSettings): SecureContext {
  const { minVersion, maxVersion, sigalgs, ciphers } = settings;
  const key = [minVersion, maxVersion, sigalgs, ciphers, rootsKey(settings)].join("|");
  let context = contexts.get(key);
  if (context === undefined) {
    context = createSecureContext(contextOptions(settings));
    contexts.set(key, context);
  }
  return context;
}

function contextOptions({ minVersion, maxVersion, sigalgs, ciphers, verify, ca }: ClientSettings): SecureContextOptions {
  return {
    ...(minVersion === undefined ? {} : { minVersion }),
    ...(maxVersion === undefined ? {} : { maxVersion }),
    ...(sigalgs === undefined ? {} : { sigalgs }),
    ...(ciphers === undefined ? {} : { ciphers }),
    ...(verify ? (ca === undefined ? {} : { ca: [...ca] }) : { ca: [] }),
  };
}
