import { X509Certificate } from "node:crypto";

import { instant, type Instant } from "../base/index.ts";
import { IDENTITY_NAME } from "./identity-name.ts";
import { IDENTITY_ROLES } from "./join-shapes.ts";
import type { IdentityReason, IdentityRefusal, IdentityRole, IdentityTrust, VerifiedIdentity } from "./types.ts";

/** Extended key usages: TLS client and TLS server (RFC 5280 section 4.2.1.12). */
const BOTH_ENDS = ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"];
const FARM_NAME = new RegExp(`^URI:urn:certfarm:([0-9a-f]{16}):(${IDENTITY_ROLES.join("|")}):(${IDENTITY_NAME})$`);
const PEM_BLOCK = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;
/** An identity's certificate has some 800 octets; nothing near this is one. */
const MAX_PEM = 16 * 1024;

/**
 * Whom a certificate names, or why nobody in this farm: signed by a trusted authority that is itself valid, for this farm, for both ends of a
 * connection, valid now, not revoked. Names nothing but what the certificate says; never throws.
 */
export function verifyIdentity(
  certificatePem: string,
  trust: IdentityTrust & { readonly now: Instant },
): VerifiedIdentity | IdentityRefusal {
  const certificate = certificatePem.length > MAX_PEM ? undefined : readX509(certificatePem);
  if (certificate === undefined) return refusal("malformed", "what was presented is no certificate");
  const what = `certificate ${certificate.serialNumber} (${JSON.stringify(certificate.subject.slice(0, 200))})`;
  if (!splitAuthorities(trust.authorityPem).some((authority) => issued(authority, certificate, trust.now))) {
    return refusal("untrusted", `${what} is not signed by an authority that this farm trusts`);
  }
  const named = nameOf(certificate);
  if (named === undefined) return refusal("unsuitable", `${what} is signed by the farm's authority but is no identity`);
  const { farmId, role, name } = named;
  if (farmId !== trust.farmId) return refusal("other-farm", `${what} is an identity of farm ${farmId}, not of ${trust.farmId}`);
  const told = { what: `${role} ${name}'s ${what}`, now: trust.now };
  const outside = outsideLife(certificate, told);
  if (outside !== undefined) return outside;
  const serial = certificate.serialNumber.toUpperCase();
  if (trust.revoked.has(serial)) return refusal("revoked", `${told.what} was revoked`);
  return { role, name, serial, notAfter: instant(Date.parse(certificate.validTo)) };
}

/** Whom a certificate names; undefined when it is made for anything else. Verifies nothing. */
export function nameOf(certificate: X509Certificate): { farmId: string; role: IdentityRole; name: string } | undefined {
  const [, farmId, role, name] = FARM_NAME.exec(certificate.subjectAltName ?? "") ?? [];
  if (farmId === undefined || name === undefined || certificate.ca || !servesBothEnds(certificate)) return undefined;
  return { farmId, role: role as IdentityRole, name }; // the pattern holds the roles only
}

function outsideLife({ validFrom, validTo }: X509Certificate, { what, now }: { what: string; now: Instant }): IdentityRefusal | undefined {
  const clock = `by this machine's clock (${new Date(now).toISOString()})`;
  if (now < Date.parse(validFrom)) return refusal("not-yet-valid", `${what} is valid from ${iso(validFrom)} only, ${clock}`);
  if (now > Date.parse(validTo)) return refusal("expired", `${what} expired at ${iso(validTo)}, ${clock}`);
  return undefined;
}

const iso = (text: string): string => new Date(Date.parse(text)).toISOString();

const refusal = (reason: IdentityReason, problem: string): IdentityRefusal => ({ reason, problem });

function servesBothEnds(certificate: X509Certificate): boolean {
  // Node calls the extended key usages `keyUsage`; it has none for a certificate without them, whatever its types say.
  const usages: readonly string[] | undefined = certificate.keyUsage;
  return usages !== undefined && BOTH_ENDS.every((oid) => usages.includes(oid));
}

function issued(authority: X509Certificate, certificate: X509Certificate, now: Instant): boolean {
  if (!authority.ca || now < Date.parse(authority.validFrom) || now > Date.parse(authority.validTo)) return false;
  return isIssuedBy(certificate, authority);
}

/** Whether this authority signed the certificate. */
export const isIssuedBy = (certificate: X509Certificate, authority: X509Certificate): boolean =>
  certificate.checkIssued(authority) && certificate.verify(authority.publicKey);

/** The certificates of a PEM text in order; what is none is left out. */
export function splitAuthorities(pem: string): readonly X509Certificate[] {
  return (pem.match(PEM_BLOCK) ?? []).flatMap((block) => readX509(block) ?? []);
}

function readX509(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined; // told by the caller
  }
}
