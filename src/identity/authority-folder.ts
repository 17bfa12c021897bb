import { createPrivateKey, randomBytes, X509Certificate, type KeyObject } from "node:crypto";
import { join } from "node:path";

import { FarmError, instant, Secret, type Instant } from "../base/index.ts";
import { issueIdentity, makeIdentityAuthority, type CertifiedKey } from "../pki/index.ts";
import { identityUri } from "./identity-name.ts";
import { readPrivateFile, saveFolder } from "./private-folder.ts";
import type { IdentityRole } from "./types.ts";
import { isIssuedBy } from "./verify-identity.ts";

/** The authority with its key, as only the folder of an admin has it. */
export interface AuthorityKey extends CertifiedKey {
  readonly farmId: string;
}

const HOUR = 3_600_000;
/** How long an identity is good; it is renewed at two thirds of it. */
export const IDENTITY_LIFE_MS = 30 * 24 * HOUR;
/** Clocks of other machines may be behind by this much. */
const BACKDATED_MS = HOUR;
const MIN_RSA_BITS = 2048;

/** The authority in an admin's folder; undefined = its key is not there. @throws IDENTITY_FOLDER_UNUSABLE, IDENTITY_AUTHORITY_UNSUITABLE */
export async function openAuthority(folder: string, now: Instant): Promise<AuthorityKey | undefined> {
  const at = authorityFolder(folder);
  const [certificatePem, keyPem, farmId] = await Promise.all(
    ["certificate.pem", "key.pem", "farm-id"].map((name) => readPrivateFile(join(at, name))),
  );
  if (certificatePem === undefined || keyPem === undefined || farmId === undefined) return undefined;
  return { ...checkAuthority({ certificatePem, keyPem: new Secret(keyPem), now }), farmId: farmId.trim() };
}

/** A new authority, not kept anywhere yet. */
export async function makeAuthority({
  now,
  farmId = randomBytes(8).toString("hex"),
}: {
  readonly now: Instant;
  readonly farmId?: string;
}): Promise<AuthorityKey> {
  return { ...(await makeIdentityAuthority({ name: `certfarm ${farmId} ${new Date(now).toISOString().slice(0, 10)}`, now })), farmId };
}

/** Keeps an authority in an admin's folder: its key with mode 0600. It replaces the one that was there. @throws IDENTITY_FOLDER_UNUSABLE */
export async function saveAuthority(folder: string, authority: AuthorityKey): Promise<void> {
  await saveFolder(authorityFolder(folder), {
    "certificate.pem": authority.certificatePem,
    "key.pem": authority.keyPem.reveal(),
    "farm-id": `${authority.farmId}\n`,
  });
}

const authorityFolder = (folder: string): string => join(folder, "authority");

/** A certificate and key that can be a farm's authority. @throws IDENTITY_AUTHORITY_UNSUITABLE saying why not */
export function checkAuthority({ certificatePem, keyPem, now }: CertifiedKey & { readonly now: Instant }): CertifiedKey {
  const { certificate, key } = readPair(certificatePem, keyPem);
  const problem = authorityProblem(certificate, now) ?? (certificate.checkPrivateKey(key) ? undefined : "the key is not the certificate's");
  if (problem !== undefined) throw unsuitable(problem);
  return { certificatePem: certificate.toString(), keyPem };
}

function readPair(certificatePem: string, keyPem: Secret): { readonly certificate: X509Certificate; readonly key: KeyObject } {
  try {
    return { certificate: new X509Certificate(certificatePem), key: createPrivateKey(keyPem.reveal()) };
  } catch (cause) {
    throw unsuitable("the certificate or its key is no unencrypted PEM", cause);
  }
}

/** Why a certificate cannot be trusted as a farm's authority; undefined = it can. */
function authorityProblem(certificate: X509Certificate, now: Instant): string | undefined {
  if (!certificate.ca) return "the certificate is not one of an authority (basic constraints)";
  if (!isIssuedBy(certificate, certificate)) {
    return "the certificate is not self-signed: TLS clients would look for what is above it";
  }
  if (now < Date.parse(certificate.validFrom) || now > Date.parse(certificate.validTo)) {
    return `it is valid from ${certificate.validFrom} to ${certificate.validTo}, which is not now`;
  }
  return isStrong(certificate.publicKey) ? undefined : "its key is neither P-256 nor RSA of at least 2,048 bits";
}

function isStrong({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): boolean {
  return type === "ec" ? details?.namedCurve === "prime256v1" : type === "rsa" && (details?.modulusLength ?? 0) >= MIN_RSA_BITS;
}

const unsuitable = (problem: string, cause?: unknown): FarmError =>
  new FarmError("IDENTITY_AUTHORITY_UNSUITABLE", `this cannot be the farm's authority: ${problem}`, { cause });

/** Signs an identity for a key that somebody else has. Returns PEM. */
export function certify(
  authority: AuthorityKey,
  { role, name, spki, now, lifeMs = IDENTITY_LIFE_MS }: { role: IdentityRole; name: string; spki: Buffer; now: Instant; lifeMs?: number },
): Promise<string> {
  const until = Math.min(now + lifeMs, Date.parse(new X509Certificate(authority.certificatePem).validTo));
  return issueIdentity(authority, {
    subject: `${role} ${name}`,
    uri: identityUri({ farmId: authority.farmId, role, name }),
    spki,
    notBefore: instant(now - BACKDATED_MS),
    notAfter: instant(until),
  });
}
