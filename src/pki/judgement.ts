import { Secret, FarmError, type Instant } from "../base/index.ts";
import { buildChain, type Chain } from "./chain.ts";
import type { Contents, HeldCertificate, HeldKey } from "./contents.ts";
import {
  compareLeaves,
  findPairs,
  parseCertificate,
  parseKey,
  provesItself,
  type Pair,
  type ParsedCertificate,
  type ParsedKey,
} from "./pair.ts";
import { refusingReaders } from "./refusing-readers.ts";
import { REMEDIES, type Failure } from "./remedies.ts";
import { isWeakSignature } from "./signature-name.ts";
import { malformed } from "./tlv.ts";
import type { FileFacts, FileReading, PreparedCertificate } from "./types.ts";

/** The parsed content of a file, each thing once. */
interface Stock {
  readonly contents: Contents;
  readonly certificates: readonly ParsedCertificate[];
  readonly keys: readonly ParsedKey[];
  /** What could not be parsed. */
  readonly damages: readonly string[];
  readonly now: Instant;
}

interface Verdict {
  readonly status: Failure;
  readonly problem: string;
}

/** Parses each distinct item; damage is noted so that a usable pair beside it can still be found. */
function parseEach<Held, Parsed>(
  held: readonly Held[],
  bytesOf: (item: Held) => Uint8Array,
  parse: (item: Held) => Parsed,
): [Parsed[], string[]] {
  const distinct = new Map(held.map((item) => [Buffer.from(bytesOf(item)).toString("base64"), item]));
  const parsed: Parsed[] = [];
  const damages: string[] = [];
  for (const item of distinct.values()) {
    try {
      parsed.push(parse(item));
    } catch (thrown) {
      if (!(thrown instanceof FarmError) || thrown.code !== "CERTIFICATE_MALFORMED") throw thrown;
      damages.push(thrown.message);
    }
  }
  return [parsed, damages];
}

function stockOf(contents: Contents, now: Instant): Stock {
  const [certificates, badCertificates] = parseEach(contents.certificates, (item: HeldCertificate) => item.der, parseCertificate);
  const [keys, badKeys] = parseEach(contents.keys, (item: HeldKey) => item.pkcs8, parseKey);
  return { contents, certificates, keys, damages: [...badCertificates, ...badKeys], now };
}

/** What became of a file whose content was found. @throws CERTIFICATE_MALFORMED when what matters in it is damaged */
export function judge(contents: Contents, now: Instant): FileReading {
  const stock = stockOf(contents, now);
  const pairs = findPairs(stock.certificates, stock.keys).sort((one, other) => compareLeaves(one.certificate, other.certificate, now));
  const [pair] = pairs;
  const [damage] = stock.damages;
  // A MAC says that the writer meant it so; without one, damage anywhere means that the file cannot be trusted.
  if (damage !== undefined && (pair === undefined || !contents.isAuthenticated)) malformed(damage);
  const leaf = pair?.certificate ?? stock.certificates.toSorted((one, other) => compareLeaves(one, other, now))[0];
  if (leaf === undefined) return refused(absentCertificate(stock), undefined);
  const chain = buildChain(leaf, stock.certificates, now);
  const facts = factsOf(stock, chain, pair);
  if (pair === undefined) return refused(absentPair(stock, leaf), facts);
  if (leaf.facts.keyType === "other") return refused(unservable(leaf.facts.keyName), facts);
  if (!contents.isAuthenticated && !provesItself(pair))
    malformed(`the private key for ${leaf.facts.subject} is damaged: what it signs does not verify`);
  const prepared = prepare(chain, pair);
  const verdict = validityVerdict(leaf, now);
  return verdict === undefined ? { status: "ok", facts, prepared } : { ...refused(verdict, facts), prepared };
}

function refused({ status, problem }: Verdict, facts: FileFacts | undefined): FileReading {
  const reading = { status, problem, remedy: REMEDIES[status] };
  return facts === undefined ? reading : { ...reading, facts };
}

function absentCertificate({ keys, contents }: Stock): Verdict {
  const passed = contents.warnings.length === 0 ? "" : ` (${contents.warnings.join("; ")})`;
  const held = keys.length === 0 ? "neither a certificate nor a key" : "a private key but no certificate";
  return { status: "no-certificate", problem: `the file holds ${held}${passed}` };
}

const unservable = (keyName: string): Verdict => ({
  status: "unsupported-algorithm",
  problem: `the certificate's key is ${keyName}; TLS servers use RSA, P-256, P-384, P-521 or Ed25519`,
});

function absentPair({ keys }: Stock, leaf: ParsedCertificate): Verdict {
  if (keys.length === 0)
    return { status: "no-key", problem: `the file holds the certificate ${leaf.facts.subject} without its private key` };
  if (leaf.facts.keyType === "other") return unservable(leaf.facts.keyName);
  const unknown = keys.find((each) => each.key === undefined);
  if (unknown !== undefined) return unservable(unknown.kind.keyName);
  const kinds = keys.map((each) => each.kind.keyName).join(", ");
  return {
    status: "key-mismatch",
    problem: `no private key in the file (${kinds}) belongs to a certificate in it (${leaf.facts.subject}, ${leaf.facts.keyName})`,
  };
}

const day = (at: Instant): string => (Number.isFinite(at) && Math.abs(at) <= 8.64e15 ? new Date(at).toISOString() : "an impossible date");

function validityVerdict({ facts }: ParsedCertificate, now: Instant): Verdict | undefined {
  if (now > facts.notAfter) return { status: "expired", problem: `the certificate ${facts.subject} expired at ${day(facts.notAfter)}` };
  if (now < facts.notBefore)
    return { status: "not-yet-valid", problem: `the certificate ${facts.subject} is valid from ${day(facts.notBefore)} on` };
  return undefined;
}

function prepare({ path }: Chain, { key }: Pair): PreparedCertificate {
  // The root is left out: a client has it or does not trust it anyway (RFC 8446 section 4.4.2).
  const sent = path.filter((each, index) => index === 0 || !each.facts.selfSigned);
  const keyPem = `-----BEGIN PRIVATE KEY-----\n${wrapped(key.held.pkcs8)}\n-----END PRIVATE KEY-----\n`;
  return { chainPem: sent.map((each) => each.x509.toString()).join(""), keyPem: new Secret(keyPem) };
}

const wrapped = (der: Uint8Array): string =>
  Buffer.from(der)
    .toString("base64")
    .replaceAll(/(.{64})(?=.)/g, "$1\n");

function factsOf(stock: Stock, chain: Chain, pair: Pair | undefined): FileFacts {
  const { contents, certificates, keys } = stock;
  const [leaf] = chain.path;
  if (leaf === undefined) return malformed("the chain is empty");
  const friendlyName = leaf.held.friendlyName ?? pair?.key.held.friendlyName;
  return {
    format: contents.format,
    leaf: leaf.facts,
    chain: chain.path.map((each) => each.facts),
    chainEnds: chain.ends,
    keyMatches: pair !== undefined,
    ...(friendlyName === undefined || friendlyName === "" ? {} : { friendlyName }),
    unusedCertificates: certificates.length - chain.path.length,
    unusedKeys: keys.length - (pair === undefined ? 0 : 1),
    protection: contents.protection,
    refusedBy: refusingReaders(contents.traits),
    warnings: [...contents.warnings, ...stock.damages, ...leafWarnings(leaf, chain), ...issuerWarnings(chain, stock.now)],
  };
}

function leafWarnings({ facts }: ParsedCertificate, { ends }: Chain): string[] {
  const warnings: string[] = [];
  if (facts.dnsNames.length + facts.ipAddresses.length === 0) warnings.push("the certificate names no host that a TLS client would match");
  if (ends === "leaf-only")
    warnings.push(`the issuer's certificate (${facts.issuer}) is not in the file: clients that do not know it will refuse`);
  if (!facts.selfSigned && isWeakSignature(facts.signatureAlgorithm))
    warnings.push(`the signature ${facts.signatureAlgorithm} is refused by current clients`);
  const bits = /^RSA\D* (\d+)$/.exec(facts.keyName)?.[1];
  if (bits !== undefined && Number(bits) < 2048) warnings.push(`an RSA key of ${bits} bits is refused by current clients`);
  return warnings;
}

function issuerWarnings({ path }: Chain, now: Instant): string[] {
  return path
    .slice(1)
    .filter(({ facts }) => now > facts.notAfter)
    .map(({ facts }) => `the issuer's certificate ${facts.subject} expired at ${day(facts.notAfter)}`);
}
