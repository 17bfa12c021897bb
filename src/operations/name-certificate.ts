import { FarmError, parseHostName, parseHostPattern, patternCovers, type HostPattern } from "../base/index.ts";
import { canonicalStem, parseFileName, type CertificateFacts } from "../pki/index.ts";

/** What a name for a certificate's file is found from. */
export interface NamingFacts {
  readonly leaf: CertificateFacts;
  /** The name it came with. */
  readonly file: string;
  /** The name or wildcard it is to be filed under. */
  readonly host?: string;
}

/**
 * The stem of the file that a certificate belongs into: for the host that was told, else the one its own file name promises when the
 * certificate covers it, else its first name. `.rsa` and `.ecdsa` before the extension are kept. @throws CERTIFICATES_NAME_REFUSED
 */
export function nameCertificate({ leaf, file, host }: NamingFacts): string {
  const own = parseFileName(file);
  const hint = own?.keyTypeHint === undefined ? "" : `.${own.keyTypeHint}`;
  return `${canonicalStem(patternFor(leaf, host, own?.pattern))}${hint}`;
}

function patternFor(leaf: CertificateFacts, host: string | undefined, own: HostPattern | undefined): HostPattern {
  const names = leaf.dnsNames.slice(0, 10).join(", ") || "no host";
  if (host !== undefined) {
    const pattern = parseHostPattern(host);
    if (pattern === undefined)
      throw new FarmError("CERTIFICATES_NAME_REFUSED", `${JSON.stringify(host.slice(0, 260))} is neither a host name nor a wildcard`);
    if (!covers(leaf, pattern)) throw new FarmError("CERTIFICATES_NAME_REFUSED", `the certificate is for ${names}, not for ${pattern}`);
    return pattern;
  }
  if (own !== undefined && covers(leaf, own)) return own;
  const [first] = leaf.dnsNames;
  if (first === undefined) throw new FarmError("CERTIFICATES_NAME_REFUSED", `the certificate of ${leaf.subject} names no host`);
  return first;
}

function covers({ dnsNames }: CertificateFacts, pattern: HostPattern): boolean {
  const host = parseHostName(pattern);
  return dnsNames.some((name) => name === pattern || (host !== undefined && patternCovers(name, host)));
}
