import type { ProtectionTrait } from "./contents.ts";

/** Sources: docs/certificates.md names the reports behind each line. */
const READERS: ReadonlyArray<readonly [trait: ProtectionTrait, readers: readonly string[]]> = [
  // OpenSSL 3 keeps RC2, RC4 and single DES in its legacy provider (nodejs/node#40672, openssl/openssl#14790).
  ["legacy-cipher", ["OpenSSL 3 without the legacy provider"]],
  // Windows before Server 2019 knows PBES1 with a SHA-1 MAC only and says "password incorrect" otherwise (openssl/openssl#17777).
  ["pbes2", ["Windows Server 2012", "Windows Server 2016"]],
  ["sha2-mac", ["Windows Server 2012", "Windows Server 2016"]],
  // RFC 9579 is of 2024; OpenSSL reads it from 3.4 on.
  ["pbmac1", ["OpenSSL before 3.4", "Windows Server 2012", "Windows Server 2016"]],
];

/** Readers that are known to refuse a file with these traits, each once. */
export function refusingReaders(traits: ReadonlySet<ProtectionTrait>): string[] {
  return [...new Set(READERS.filter(([trait]) => traits.has(trait)).flatMap(([, readers]) => readers))];
}
