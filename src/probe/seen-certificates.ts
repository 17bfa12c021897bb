import { hash, X509Certificate } from "node:crypto";

import { LRUCache } from "lru-cache";

import { instant, parseHostPattern } from "../base/index.ts";
import type { SeenCertificate } from "../doctor/index.ts";
import { certificateFacts } from "../pki/certificate.ts";

/** DER that is kept in facts in full; a hostile server can send another 100 KB in every handshake. */
const FULL_OCTETS = 64 * 1024 * 1024;
const MAX_TEXT = 1_000;
const MAX_NAMES = 500;
const SLIM_NAMES = 10;

/**
 * What certificates say, read once each: the same object stands for the same certificate as long as it is among the last `max` ones.
 * Beyond 64 MB of certificates seen, only the first few names of a new one are kept.
 */
export class SeenCertificates {
  readonly #kept: LRUCache<string, SeenCertificate>;
  #octetsLeft = FULL_OCTETS;

  constructor(max: number) {
    this.#kept = new LRUCache({ max });
  }

  /** Whether there is room for more than leaves. */
  get roomy(): boolean {
    return this.#octetsLeft > 0;
  }

  see(der: Uint8Array): SeenCertificate {
    const sha256 = hash("sha256", der, "hex").toUpperCase();
    const kept = this.#kept.get(sha256);
    if (kept !== undefined) return kept;
    const seen = bounded(readFacts(der, sha256), this.roomy ? MAX_NAMES : SLIM_NAMES);
    this.#octetsLeft -= der.length;
    this.#kept.set(sha256, seen);
    return seen;
  }

  /** The object that stands for this certificate, which may have been seen elsewhere. */
  keep(seen: SeenCertificate): SeenCertificate {
    const kept = this.#kept.get(seen.sha256);
    if (kept !== undefined) return kept;
    this.#kept.set(seen.sha256, seen);
    return seen;
  }
}

function bounded(seen: SeenCertificate, maxNames: number): SeenCertificate {
  const { subject, issuer, dnsNames, keyName } = seen;
  return {
    ...seen,
    subject: subject.slice(0, MAX_TEXT),
    issuer: issuer.slice(0, MAX_TEXT),
    keyName: keyName.slice(0, MAX_TEXT),
    dnsNames: dnsNames.slice(0, maxNames),
  };
}

function readFacts(der: Uint8Array, sha256: string): SeenCertificate {
  try {
    const { thumbprint, subject, issuer, serial, dnsNames, notBefore, notAfter, ...more } = certificateFacts(der);
    const { keyName, signatureAlgorithm, isCa, selfSigned } = more;
    const facts = { sha256, thumbprint, subject, issuer, serial, dnsNames, notBefore, notAfter };
    return { ...facts, keyName, signatureAlgorithm, isCa, selfSigned };
  } catch {
    // OpenSSL took it, so it is a certificate of some kind.
    return looseFacts(new X509Certificate(der), sha256);
  }
}

/** What OpenSSL makes of a certificate that is not quite in the form of RFC 5280. */
function looseFacts(certificate: X509Certificate, sha256: string): SeenCertificate {
  const names = (certificate.subjectAltName ?? "").split(", ").filter((entry) => entry.startsWith("DNS:"));
  const dnsNames = names.map((entry) => parseHostPattern(entry.slice(4))).filter((name) => name !== undefined);
  const oneLine = (lines: string | undefined): string => (lines ?? "").split("\n").reverse().join(",");
  return {
    sha256,
    thumbprint: certificate.fingerprint.replaceAll(":", ""),
    subject: oneLine(certificate.subject),
    issuer: oneLine(certificate.issuer),
    serial: certificate.serialNumber,
    dnsNames,
    notBefore: instant(Date.parse(certificate.validFrom) || 0),
    notAfter: instant(Date.parse(certificate.validTo) || 0),
    keyName: "unknown",
    isCa: certificate.ca,
    selfSigned: certificate.subject === certificate.issuer,
  };
}
