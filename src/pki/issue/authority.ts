import { FarmError, instant, type Instant, type Secret } from "../../base/index.ts";
import { certificateFacts } from "../certificate.ts";
import { pemBlocks } from "../pem/blocks.ts";
import type { KeyType } from "../types.ts";
import type { CertificateRequest } from "./certificate.ts";
import { makeKey, pemOfKey, readPemKey, type KeyPair } from "./key-pair.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const AUTHORITY_LIFE = 3650 * DAY;
const DEFAULT_LIFE = 90 * DAY;

/** What an end-entity certificate is asked for. */
export interface IssueRequest {
  /** DNS names, wildcards and IP addresses; the first is the subject's common name too, if it is not longer than 64 characters. */
  readonly names: readonly [string, ...string[]];
  /** @default "ecdsa" */
  readonly keyType?: KeyType;
  /** @default one hour before the authority's `now` */
  readonly notBefore?: Instant;
  /** @default 90 days after the authority's `now` */
  readonly notAfter?: Instant;
  /** For client authentication instead of a server. */
  readonly client?: boolean;
  /** Certifies this key (PEM) instead of a new one; `keyType` is then of no concern. */
  readonly withKey?: Secret;
}

/** An issued certificate with its key. */
export interface IssuedCertificate {
  /** Leaf first, the intermediate after it when the authority has one; never the root. */
  readonly chainPem: string;
  /** PKCS#8. */
  readonly keyPem: Secret;
  readonly certificateDer: Uint8Array;
}

/** A certification authority for demonstrations and tests. It keeps no list of what it issued and revokes nothing. */
export interface Authority {
  /** The root, which clients trust. */
  readonly certificatePem: string;
  /** The root's key: with it and `certificatePem`, openAuthority makes the same authority again. */
  readonly keyPem: Secret;
  issue(request: IssueRequest): Promise<IssuedCertificate>;
}

/** Settings of an authority. */
export interface AuthoritySettings {
  readonly now: Instant;
  /** Issues by an intermediate authority under the root. @default false */
  readonly intermediate?: boolean;
}

interface Issuer {
  readonly name: string;
  readonly key: KeyPair;
  /** What goes after the leaf in a chain. */
  readonly chainPem: string;
}

const pemOf = (der: Uint8Array): string =>
  `-----BEGIN CERTIFICATE-----\n${Buffer.from(der)
    .toString("base64")
    .replaceAll(/(.{64})(?=.)/g, "$1\n")}\n-----END CERTIFICATE-----\n`;

/** The encoder is loaded with the first certificate that is issued: those who only read files never pay for it. */
async function issueDer(request: CertificateRequest): Promise<Buffer> {
  const { issueCertificate } = await import("./certificate.ts");
  return issueCertificate(request);
}

/** Makes a new authority with a P-256 root of ten years. */
export async function createAuthority(settings: AuthoritySettings & { readonly name: string }): Promise<Authority> {
  const { name, now } = settings;
  const key = await makeKey("ecdsa");
  const use = { kind: "authority", pathLength: 1 } as const;
  const der = await issueDer({ subject: name, issuer: name, key, signer: key, use, ...authorityLife(now) });
  return await authorityOf({ name, key, certificatePem: pemOf(der) }, settings);
}

/** An authority made earlier. @throws CERTIFICATE_MALFORMED when the certificate or the key is not one */
export async function openAuthority(
  saved: { readonly certificatePem: string; readonly keyPem: Secret },
  settings: AuthoritySettings,
): Promise<Authority> {
  const [block] = [...pemBlocks(Buffer.from(saved.certificatePem))];
  if (block === undefined) throw new FarmError("CERTIFICATE_MALFORMED", "the authority's certificate is not in PEM form");
  const name = certificateFacts(block.bytes).subject.replace(/^CN=/, "").replaceAll(/\\(.)/g, "$1");
  return await authorityOf({ name, key: readPemKey(saved.keyPem), certificatePem: saved.certificatePem }, settings);
}

const authorityLife = (now: Instant): { notBefore: Instant; notAfter: Instant } => ({
  notBefore: instant(now - HOUR),
  notAfter: instant(now + AUTHORITY_LIFE),
});

async function authorityOf(
  root: { readonly name: string; readonly key: KeyPair; readonly certificatePem: string },
  settings: AuthoritySettings,
): Promise<Authority> {
  const issuer = settings.intermediate === true ? await intermediateOf(root, settings.now) : { ...root, chainPem: "" };
  return {
    certificatePem: root.certificatePem,
    keyPem: pemOfKey(root.key),
    issue: (request) => issueFrom(issuer, request, settings.now),
  };
}

async function intermediateOf(root: { readonly name: string; readonly key: KeyPair }, now: Instant): Promise<Issuer> {
  const name = `${root.name} Intermediate`;
  const key = await makeKey("ecdsa");
  const use = { kind: "authority", pathLength: 0 } as const;
  const der = await issueDer({ subject: name, issuer: root.name, key, signer: root.key, use, ...authorityLife(now) });
  return { name, key, chainPem: pemOf(der) };
}

async function issueFrom(issuer: Issuer, request: IssueRequest, now: Instant): Promise<IssuedCertificate> {
  const { names } = request;
  const key = request.withKey === undefined ? await makeKey(request.keyType ?? "ecdsa") : readPemKey(request.withKey);
  const der = await issueDer({
    subject: names.find((name) => name.length <= 64) ?? "certfarm",
    issuer: issuer.name,
    key,
    signer: issuer.key,
    notBefore: request.notBefore ?? instant(now - HOUR),
    notAfter: request.notAfter ?? instant(now + DEFAULT_LIFE),
    use: { kind: request.client === true ? "client" : "server", names },
  });
  return { chainPem: pemOf(der) + issuer.chainPem, keyPem: pemOfKey(key), certificateDer: der };
}
