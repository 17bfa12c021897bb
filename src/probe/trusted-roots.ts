import { readFileSync } from "node:fs";
import { rootCertificates } from "node:tls";

import { FarmError } from "../base/index.ts";

/** Where systems keep their roots in one file: Debian and its kin, Fedora and its kin, SUSE, Alpine and BSD and macOS. */
const SYSTEM_FILES = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "/etc/ssl/ca-bundle.pem",
  "/etc/ssl/cert.pem",
];

/** Larger than any system's. */
const MAX_CHARACTERS = 16 * 1024 * 1024;
const PEM_BLOCK = /-----BEGIN (?:TRUSTED )?CERTIFICATE-----[^-]+-----END (?:TRUSTED )?CERTIFICATE-----/g;

/** Roots, and in words where they come from. */
export interface TrustedRoots {
  readonly ca: readonly string[];
  readonly from: string;
}

let system: TrustedRoots | undefined;

/** Node's own roots and those of the system together; read once in a process. */
export function systemRoots(files: readonly string[] = SYSTEM_FILES): TrustedRoots {
  system ??= readSystemRoots(files);
  return system;
}

function readSystemRoots(files: readonly string[]): TrustedRoots {
  for (const file of files) {
    const blocks = blocksOf(textOf(file));
    // The same root in both is loaded once: OpenSSL keeps one of each.
    if (blocks.length > 0) return { ca: [...rootCertificates, ...blocks], from: `the roots of Node and of ${file}` };
  }
  return { ca: rootCertificates, from: "the roots of Node" };
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return ""; // this system keeps them elsewhere
  }
}

const blocksOf = (text: string): readonly string[] => text.slice(0, MAX_CHARACTERS).match(PEM_BLOCK) ?? [];

/** The certificates of PEM texts that were given. @throws PROBE_ROOTS_INVALID when there is none */
export function givenRoots(texts: readonly string[]): TrustedRoots {
  const ca = texts.flatMap((text) => blocksOf(text));
  if (ca.length === 0) throw new FarmError("PROBE_ROOTS_INVALID", "the roots that were given hold no PEM certificate");
  return { ca, from: `${ca.length} given ${ca.length === 1 ? "certificate" : "certificates"}` };
}
