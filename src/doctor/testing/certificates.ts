import type { SeenCertificate } from "../observation.ts";
import { at, digestOf } from "./examination.ts";

/** A certificate of a chain as it was sent, by its common name; an authority unless `changes` say otherwise. */
export function seen(name: string, changes: Partial<SeenCertificate> = {}): SeenCertificate {
  const sha256 = digestOf(name);
  return {
    sha256,
    thumbprint: sha256.slice(0, 40),
    subject: `CN=${name}`,
    issuer: "CN=Example Root",
    serial: "02",
    dnsNames: [],
    notBefore: at(-1_000),
    notAfter: at(1_000),
    keyName: "RSA 2048",
    signatureAlgorithm: "sha256WithRSAEncryption",
    isCa: true,
    selfSigned: false,
    ...changes,
  };
}

/** The leaf of this host, issued by Example CA. */
export const seenLeaf = (host: string, changes: Partial<SeenCertificate> = {}): SeenCertificate =>
  seen(host, { issuer: "CN=Example CA", dnsNames: [host], isCa: false, notBefore: at(-30), notAfter: at(60), ...changes });

/** The intermediate of the test farms, and their root. */
export const INTERMEDIATE = seen("Example CA");
export const ROOT = seen("Example Root", { selfSigned: true });
