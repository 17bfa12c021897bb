import { X509Certificate } from "node:crypto";

import { instant, type Instant, type Secret } from "../../base/index.ts";
import { certificatePem } from "./certificate-pem.ts";
import { makeKey, pemOfKey, readPemKey } from "./key-pair.ts";

/** A certificate and its key. */
export interface CertifiedKey {
  readonly certificatePem: string;
  /** PKCS#8. */
  readonly keyPem: Secret;
}

/** What an identity is to say. */
export interface IdentityRequest {
  /** Common name, at most 64 characters are kept. */
  readonly subject: string;
  /** The one subject alternative name. */
  readonly uri: string;
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Buffer;
  readonly notBefore: Instant;
  readonly notAfter: Instant;
}

const HOUR = 3_600_000;
const AUTHORITY_LIFE = 3650 * 24 * HOUR;

/** Makes a P-256 authority of ten years that signs end entities only (path length 0). */
export async function makeIdentityAuthority({ name, now }: { readonly name: string; readonly now: Instant }): Promise<CertifiedKey> {
  const { issueCertificate } = await import("./certificate.ts");
  const key = await makeKey("ecdsa");
  const der = issueCertificate({
    subject: name,
    issuer: name,
    key,
    signer: key,
    notBefore: instant(now - HOUR),
    notAfter: instant(now + AUTHORITY_LIFE),
    use: { kind: "authority", pathLength: 0 },
  });
  return { certificatePem: certificatePem(der), keyPem: pemOfKey(key) };
}

/** Signs an identity: for TLS clients and servers, named by its URI alone. Returns PEM. @throws CERTIFICATE_MALFORMED for an authority that cannot be read */
export async function issueIdentity(authority: CertifiedKey, request: IdentityRequest): Promise<string> {
  const { issueCertificate } = await import("./certificate.ts");
  const { subject, uri, spki, notBefore, notAfter } = request;
  return certificatePem(
    issueCertificate({
      subject: subject.slice(0, 64),
      issuer: new X509Certificate(authority.certificatePem).raw,
      key: { spki },
      signer: readPemKey(authority.keyPem),
      notBefore,
      notAfter,
      use: { kind: "identity", uri },
    }),
  );
}
