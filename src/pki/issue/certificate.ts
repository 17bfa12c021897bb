import { createPublicKey, randomBytes, sign } from "node:crypto";

import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  ExtendedKeyUsage,
  Extension,
  Extensions,
  GeneralName,
  KeyIdentifier,
  KeyUsage,
  KeyUsageFlags,
  Name,
  RelativeDistinguishedName,
  SubjectAlternativeName,
  SubjectKeyIdentifier,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  Version,
} from "@peculiar/asn1-x509";

import { parseIpAddress, type Instant } from "../../base/index.ts";
import { keyIdentifierOf, type KeyPair } from "./key-pair.ts";

/** What a certificate is to say. */
export interface CertificateRequest {
  readonly subject: string;
  /** The issuer's common name, or its certificate (DER) when the issuer was made elsewhere. */
  readonly issuer: string | Uint8Array;
  readonly key: Pick<KeyPair, "spki">;
  readonly signer: KeyPair;
  readonly notBefore: Instant;
  readonly notAfter: Instant;
  readonly use: CertificateUse;
}

/** An authority, or an end entity with its names. */
type CertificateUse =
  | { readonly kind: "authority"; readonly pathLength: number }
  | { readonly kind: "server" | "client"; readonly names: readonly string[] }
  /** For both ends of a connection, named by one URI and by nothing else. */
  | { readonly kind: "identity"; readonly uri: string };

const SIGNATURE_OIDS: Readonly<Record<string, string>> = {
  rsa: "1.2.840.113549.1.1.11",
  ec: "1.2.840.10045.4.3.2",
  ed25519: "1.3.101.112",
};

const OID = {
  commonName: "2.5.4.3",
  subjectKeyIdentifier: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  authorityKeyIdentifier: "2.5.29.35",
  extendedKeyUsage: "2.5.29.37",
  serverAuth: "1.3.6.1.5.5.7.3.1",
  clientAuth: "1.3.6.1.5.5.7.3.2",
} as const;

const bufferOf = (bytes: Uint8Array): ArrayBuffer => Uint8Array.from(bytes).buffer;

function nameOf(commonName: string): Name {
  const value = new AttributeValue({ utf8String: commonName });
  return new Name([new RelativeDistinguishedName([new AttributeTypeAndValue({ type: OID.commonName, value })])]);
}

/** RSA signatures carry a NULL as parameters (RFC 4055 section 5), the others nothing. */
function signatureAlgorithm({ privateKey }: KeyPair): AlgorithmIdentifier {
  const type = privateKey.asymmetricKeyType ?? "";
  return new AlgorithmIdentifier({ algorithm: SIGNATURE_OIDS[type] ?? "", ...(type === "rsa" ? { parameters: null } : {}) });
}

function extension(id: string, value: unknown, critical = false): Extension {
  return new Extension({ extnID: id, critical, extnValue: new OctetString(AsnConvert.serialize(value)) });
}

function identifierOf({ spki }: Pick<KeyPair, "spki">): ArrayBuffer {
  return bufferOf(keyIdentifierOf(new Uint8Array(AsnConvert.parse(spki, SubjectPublicKeyInfo).subjectPublicKey)));
}

function generalName(name: string): GeneralName {
  const address = parseIpAddress(name);
  return address === undefined ? new GeneralName({ dNSName: name }) : new GeneralName({ iPAddress: address });
}

const endEntity = (keyUsage: number): readonly Extension[] => [
  extension(OID.basicConstraints, new BasicConstraints({ cA: false }), true),
  extension(OID.keyUsage, new KeyUsage(keyUsage), true),
];

function useExtensions(use: CertificateUse, { spki }: Pick<KeyPair, "spki">): readonly Extension[] {
  if (use.kind === "authority") {
    return [
      extension(OID.basicConstraints, new BasicConstraints({ cA: true, pathLenConstraint: use.pathLength }), true),
      extension(OID.keyUsage, new KeyUsage(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign), true),
    ];
  }
  if (use.kind === "identity") {
    return [
      ...endEntity(KeyUsageFlags.digitalSignature),
      extension(OID.extendedKeyUsage, new ExtendedKeyUsage([OID.serverAuth, OID.clientAuth])),
      extension(OID.subjectAltName, new SubjectAlternativeName([new GeneralName({ uniformResourceIdentifier: use.uri })])),
    ];
  }
  // Only RSA keys decrypt, and only TLS 1.2 and older ask them to.
  const isRsa = createPublicKey({ key: spki, type: "spki", format: "der" }).asymmetricKeyType === "rsa";
  return [
    ...endEntity(KeyUsageFlags.digitalSignature | (isRsa ? KeyUsageFlags.keyEncipherment : 0)),
    extension(OID.extendedKeyUsage, new ExtendedKeyUsage([use.kind === "client" ? OID.clientAuth : OID.serverAuth])),
    extension(OID.subjectAltName, new SubjectAlternativeName(use.names.map(generalName))),
  ];
}

/** A positive serial of 127 random bits, never zero (RFC 5280 section 4.1.2.2). */
function serialNumber(): ArrayBuffer {
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  return bufferOf(serial);
}

/** An issuer's name, and its key's identifier as its own certificate has it. */
function issuerOf(issuer: string | Uint8Array, signer: KeyPair): { readonly name: Name; readonly keyIdentifier: KeyIdentifier } {
  if (typeof issuer === "string") return { name: nameOf(issuer), keyIdentifier: new KeyIdentifier(identifierOf(signer)) };
  const { subject, extensions } = AsnConvert.parse(issuer, Certificate).tbsCertificate;
  const own = extensions?.find(({ extnID }) => extnID === OID.subjectKeyIdentifier)?.extnValue.buffer;
  const keyIdentifier = own === undefined ? identifierOf(signer) : AsnConvert.parse(own, SubjectKeyIdentifier).buffer;
  return { name: subject, keyIdentifier: new KeyIdentifier(keyIdentifier) };
}

/** Issues a certificate, DER. */
export function issueCertificate(request: CertificateRequest): Buffer {
  const { key, signer, use } = request;
  const algorithm = signatureAlgorithm(signer);
  const issuer = issuerOf(request.issuer, signer);
  const tbs = new TBSCertificate({
    version: Version.v3,
    serialNumber: serialNumber(),
    signature: algorithm,
    issuer: issuer.name,
    validity: new Validity({ notBefore: new Date(request.notBefore), notAfter: new Date(request.notAfter) }),
    subject: nameOf(request.subject),
    subjectPublicKeyInfo: AsnConvert.parse(key.spki, SubjectPublicKeyInfo),
    extensions: new Extensions([
      ...useExtensions(use, key),
      extension(OID.subjectKeyIdentifier, new SubjectKeyIdentifier(identifierOf(key))),
      extension(OID.authorityKeyIdentifier, new AuthorityKeyIdentifier({ keyIdentifier: issuer.keyIdentifier })),
    ]),
  });
  const digest = signer.privateKey.asymmetricKeyType === "ed25519" ? null : "sha256";
  const signature = sign(digest, Buffer.from(AsnConvert.serialize(tbs)), signer.privateKey);
  const certificate = new Certificate({ tbsCertificate: tbs, signatureAlgorithm: algorithm, signatureValue: bufferOf(signature) });
  return Buffer.from(AsnConvert.serialize(certificate));
}
