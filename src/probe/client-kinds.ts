import { requireHostName } from "../base/index.ts";
import type { ProbeKind } from "../doctor/index.ts";
import type { ProbeOptions } from "./open-tls.ts";

const SUITES = "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256";
const ECDSA = "ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384:ecdsa_secp521r1_sha512:ed25519";
const RSA_PKCS1 = "rsa_pkcs1_sha256:rsa_pkcs1_sha384:rsa_pkcs1_sha512";
const RSA = `rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:rsa_pss_rsae_sha512:${RSA_PKCS1}`;

/** A name that nobody serves, which RFC 6761 section 6.4 sets aside; logs of servers show whence it comes. */
export const UNKNOWN_NAME = requireHostName("certfarm-unknown-name.invalid");

type ClientForm = Pick<ProbeOptions, "alpn" | "minVersion" | "maxVersion" | "sigalgs" | "ciphers">;

const ALPN = ["h2", "http/1.1"];

/**
 * What sets a kind of client apart from one that offers everything. One that takes ECDSA leaves only still knows RSA signatures inside
 * of chains, as authorities make them: PKCS#1 signatures are for nothing else in TLS 1.3 (RFC 8446 section 4.2.3), and in TLS 1.2 its
 * cipher suites rule out RSA leaves.
 */
const FORMS: Readonly<Partial<Record<ProbeKind, ClientForm>>> = {
  tls12: { minVersion: "TLSv1.2", maxVersion: "TLSv1.2" },
  tls13: { minVersion: "TLSv1.3" },
  rsa: { sigalgs: RSA, ciphers: `${SUITES}:aRSA+HIGH` },
  ecdsa: { sigalgs: `${ECDSA}:${RSA_PKCS1}`, ciphers: `${SUITES}:aECDSA+HIGH` },
  http11: { alpn: ["http/1.1"] },
  h2: { alpn: ["h2"] },
};

/** What a client of this kind offers. */
export const clientForm = (kind: ProbeKind): ClientForm => ({ alpn: ALPN, ...FORMS[kind] });
