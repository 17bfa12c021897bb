import { instant, type Instant, type Secret } from "../../base/index.ts";
import type { KeyType } from "../types.ts";
import type { CertificateRequest } from "./certificate.ts";
import { certificatePem as pemOf } from "./certificate-pem.ts";
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
  issue(request: IssueRequest): Promise<IssuedCertificate>;
}

/** Settings of an authority. */
interface AuthoritySettings {
  /** The common name of its root. */
  readonly name: string;
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

/** The encoder is loaded with the first certificate that is issued: those who only read files never pay for it. */
async function issueDer(request: CertificateRequest): Promise<Buffer> {
  const { issueCertificate } = await import("./certificate.ts");
  return issueCertificate(request);
}

/** Makes a new authority with a P-256 root of ten years. */
export async function createAuthority(settings: AuthoritySettings): Promise<Authority> {
  const { name, now } = settings;
  const key = await makeKey("ecdsa");
  const use = { kind: "authority", pathLength: 1 } as const;
  const der = await issueDer({ subject: name, issuer: name, key, signer: key, use, ...authorityLife(now) });
  const root: Issuer = { name, key, chainPem: "" };
  const issuer = settings.intermediate === true ? await intermediateOf(root, now) : root;
  return { certificatePem: pemOf(der), issue: (request) => issueFrom(issuer, request, now) };
}

const authorityLife = (now: Instant): { notBefore: Instant; notAfter: Instant } => ({
  notBefore: instant(now - HOUR),
  notAfter: instant(now + AUTHORITY_LIFE),
});

async function intermediateOf(root: Issuer, now: Instant): Promise<Issuer> {
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
