import type { Algorithm } from "./algorithm.ts";

/** A certificate as a file holds it. */
export interface HeldCertificate {
  readonly der: Uint8Array;
  readonly friendlyName?: string;
  /** Hexadecimal. A hint of the writer only: files exist in which it points at the wrong key. */
  readonly localKeyId?: string;
}

/** A private key as a file holds it, decrypted. Secret. */
export interface HeldKey {
  /** PKCS#8 version 1 without attributes, DER. */
  readonly pkcs8: Uint8Array;
  readonly algorithm: Algorithm;
  readonly friendlyName?: string;
  readonly localKeyId?: string;
}

/** How a file is protected, as far as it decides which readers refuse it. */
export type ProtectionTrait = "legacy-cipher" | "pbes2" | "sha2-mac" | "pbmac1" | "no-mac" | "pkcs12";

/** What was found in a file of either format, in the file's order. */
export interface Contents {
  readonly format: "pkcs12" | "pem";
  readonly certificates: readonly HeldCertificate[];
  readonly keys: readonly HeldKey[];
  readonly protection: readonly string[];
  readonly traits: ReadonlySet<ProtectionTrait>;
  readonly warnings: readonly string[];
  /** Whether a MAC vouches for the key's content. */
  readonly isAuthenticated: boolean;
}
