import type { ParsedCertificate } from "./pair.ts";
import type { FileFacts } from "./types.ts";

/** A certificate's path as far as a file goes. */
export interface Chain {
  /** Leaf first, each followed by its issuer. */
  readonly path: readonly ParsedCertificate[];
  readonly ends: FileFacts["chainEnds"];
}

function isIssuedBy(child: ParsedCertificate, issuer: ParsedCertificate): boolean {
  try {
    return child.x509.checkIssued(issuer.x509) && child.x509.verify(issuer.x509.publicKey);
  } catch {
    return false;
  }
}

/** Valid now first, then the one that lasts longest: cross-signed authorities have several certificates. */
function better(one: ParsedCertificate, other: ParsedCertificate, now: number): number {
  const isValid = ({ facts }: ParsedCertificate): boolean => facts.notBefore <= now && now <= facts.notAfter;
  return Number(isValid(other)) - Number(isValid(one)) || other.facts.notAfter - one.facts.notAfter;
}

/** Signatures that are verified for one file: far above any honest chain, and bounded time for a file of look-alikes. */
const MAX_SIGNATURE_CHECKS = 64;

/** Follows issuers by name and signature. A certificate is used once at most, so a loop ends. */
export function buildChain(leaf: ParsedCertificate, others: readonly ParsedCertificate[], now: number): Chain {
  const path = [leaf];
  const used = new Set([leaf.facts.sha256]);
  let checks = 0;
  for (let last = leaf; !last.facts.selfSigned;) {
    const child = last;
    const issuer = others
      .filter((each) => !used.has(each.facts.sha256) && each.facts.subject === child.facts.issuer)
      .sort((one, other) => better(one, other, now))
      .find((each) => ++checks <= MAX_SIGNATURE_CHECKS && isIssuedBy(child, each));
    if (issuer === undefined) break;
    path.push(issuer);
    used.add(issuer.facts.sha256);
    last = issuer;
  }
  const ends = path.at(-1)?.facts.selfSigned === true ? "to-root" : path.length > 1 ? "to-intermediate" : "leaf-only";
  return { path, ends };
}
