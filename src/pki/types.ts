import type { HostPattern, Instant, IpAddress, Secret } from "../base/index.ts";

/** The kinds of leaf keys that a certificate of the farm can have; a client is offered one certificate a kind. */
export type KeyType = "rsa" | "ecdsa" | "ed25519";

/** What a certificate says, with nothing secret in it. */
export interface CertificateFacts {
  /** RFC 4514 text, e.g. `CN=www.example.com,O=Example`. */
  readonly subject: string;
  readonly issuer: string;
  /** DNS names of the SAN in normal form, wildcards included; the CN only when the certificate has no SAN at all. */
  readonly dnsNames: readonly HostPattern[];
  readonly ipAddresses: readonly IpAddress[];
  /** Hexadecimal, upper case, no leading zeros cut off. */
  readonly serial: string;
  readonly notBefore: Instant;
  readonly notAfter: Instant;
  readonly keyType: KeyType | "other";
  /** `RSA 2048`, `P-256`, `Ed25519`. */
  readonly keyName: string;
  /** `sha256WithRSAEncryption`, or the OID when it has no name here. */
  readonly signatureAlgorithm: string;
  /** SHA-1 over the DER, 40 upper-case hexadecimal digits: what Windows shows as the thumbprint. */
  readonly thumbprint: string;
  /** SHA-256 over the DER, 64 upper-case hexadecimal digits. */
  readonly sha256: string;
  readonly isCa: boolean;
  readonly selfSigned: boolean;
}

/** What a certificate file says. */
export interface FileFacts {
  readonly format: "pkcs12" | "pem";
  readonly leaf: CertificateFacts;
  /** Leaf first, each followed by its issuer, as far as the file goes. */
  readonly chain: readonly CertificateFacts[];
  /** `to-root`: ends with a self-signed one; `to-intermediate`: the leaf's issuer is there but no root (the usual, good case); `leaf-only`. */
  readonly chainEnds: "to-root" | "to-intermediate" | "leaf-only";
  readonly keyMatches: boolean;
  readonly friendlyName?: string;
  /** How many certificates and keys the file holds besides the pair that is used. */
  readonly unusedCertificates: number;
  readonly unusedKeys: number;
  /** The algorithms that protect the file: `pbeWithSHA1And40BitRC2-CBC`, `PBES2 AES-256-CBC HMAC-SHA256 2048 iterations`, `MAC HMAC-SHA1 2000 iterations`. */
  readonly protection: readonly string[];
  /** Readers that are known to refuse this file, e.g. `OpenSSL 3 without the legacy provider`, `Windows Server 2016`. */
  readonly refusedBy: readonly string[];
  /** Things worth saying that do not make the file unusable. */
  readonly warnings: readonly string[];
}

/** Why a file cannot be used, or that it can. */
export type FileStatus =
  | "ok"
  | "wrong-password"
  | "no-key"
  | "no-certificate"
  | "key-mismatch"
  | "expired"
  | "not-yet-valid"
  | "unsupported-algorithm"
  | "malformed"
  | "too-costly"
  | "unreadable";

/** The form from which a TLS context is made without further work: unencrypted PEM. Secret: never logged or reported. */
export interface PreparedCertificate {
  /** Leaf and intermediates, PEM, a self-signed root left out. */
  readonly chainPem: string;
  /** PKCS#8 PEM. */
  readonly keyPem: Secret;
}

/**
 * What became of reading a file. `ok`, `expired` and `not-yet-valid` carry `prepared` (the last two can be served when
 * nothing better exists); the others carry `problem` and `remedy`, and facts as far as they could be read.
 */
export interface FileReading {
  readonly status: FileStatus;
  readonly facts?: FileFacts;
  readonly prepared?: PreparedCertificate;
  /** A sentence that says what is wrong and names the algorithm, limit or offset. */
  readonly problem?: string;
  readonly remedy?: string;
}

/** Bounds on what a hostile file may cost. */
export interface ReadLimits {
  /** Octets of the file. @default 1 MiB */
  readonly maxBytes: number;
  /**
   * Sum of the iterations that the file's key derivations state, for one password; one derivation may state half of it,
   * and all passwords together three times it.
   * @default 2,000,000 (NSS and GnuTLS write 600,000 each for MAC, certificates and key)
   */
  readonly maxIterations: number;
  /** Nesting of ASN.1 values. @default 32 */
  readonly maxDepth: number;
  /** Certificates and keys in one file. @default 64 */
  readonly maxItems: number;
}

/** A certificate file as bytes. `keyBytes` is the `.key` beside a `.crt`. */
export interface FileInput {
  readonly bytes: Uint8Array;
  readonly keyBytes?: Uint8Array;
  /** Tried in this order; an absent and an empty password are always tried after them. */
  readonly passwords: readonly Secret[];
  readonly now: Instant;
  readonly limits?: Partial<ReadLimits>;
}
