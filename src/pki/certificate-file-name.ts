import { parseHostName, parseHostPattern, toUnicodeHost, type HostPattern } from "../base/index.ts";

/** The kinds of files that can hold a certificate; `.cer` counts as `crt`. */
type CertificateFormat = "pfx" | "p12" | "pem" | "crt";

/** What a file's name says. `pattern` absent: the name serves nobody, and `problem` says why. */
export interface CertificateFileName {
  readonly file: string;
  readonly format: CertificateFormat;
  /** The host or wildcard that the name promises. */
  readonly pattern?: HostPattern;
  /** From `.rsa`/`.ecdsa` right before the extension. */
  readonly keyTypeHint?: "rsa" | "ecdsa";
  /** The one spelling by which the index finds the file: lower case, A-labels. */
  readonly canonical?: string;
  readonly problem?: string;
  readonly remedy?: string;
}

const FORMATS: Readonly<Record<string, CertificateFormat>> = { pfx: "pfx", p12: "p12", pem: "pem", crt: "crt", cer: "crt" };
const EXTENSION = /\.(pfx|p12|pem|crt|cer)$/i;
const KEY_EXTENSION = /\.key$/i;
const HINT = /\.(rsa|ecdsa)$/i;

/**
 * Reads a file's name; undefined for what is no certificate file at all (`readme.txt`, `www.example.com.key`).
 * `_.example.com` is the wildcard for one left-most label. `default` is never a host: tools use it for files that serve by row only.
 */
export function parseFileName(file: string): CertificateFileName | undefined {
  const extension = EXTENSION.exec(file)?.[1]?.toLowerCase();
  if (extension === undefined) return undefined;
  const format = FORMATS[extension] ?? "crt";
  const stem = parseStem(file.slice(0, -extension.length - 1));
  if ("problem" in stem) return { file, format, ...stem };
  const { pattern, hint } = stem;
  const canonical = `${canonicalStem(pattern)}${hint === undefined ? "" : `.${hint}`}.${extension}`;
  return { file, format, pattern, canonical, ...(hint === undefined ? {} : { keyTypeHint: hint }) };
}

/** The canonical spelling of a `.key` file's name; undefined for any other file and for names that are no host. */
export function canonicalKeyName(file: string): string | undefined {
  if (!KEY_EXTENSION.test(file)) return undefined;
  const stem = parseStem(file.slice(0, -4));
  if ("problem" in stem) return undefined;
  return `${canonicalStem(stem.pattern)}${stem.hint === undefined ? "" : `.${stem.hint}`}.key`;
}

/** The stem under which a host's or wildcard's files are named: `_.example.com` for `*.example.com`. */
export function canonicalStem(pattern: HostPattern): string {
  return pattern.startsWith("*.") ? `_${pattern.slice(1)}` : pattern;
}

/** The name that a file for this host should have, in the spelling that people read. */
export function suggestedFileName(pattern: HostPattern, extension: string): string {
  const shown = toUnicodeHost(pattern);
  return `${shown.startsWith("*.") ? `_${shown.slice(1)}` : shown}.${extension}`;
}

type Stem =
  | { readonly pattern: HostPattern; readonly hint: "rsa" | "ecdsa" | undefined }
  | { readonly problem: string; readonly remedy: string };

const RENAME = "Rename it to the host it is for, e.g. www.example.com.pfx, or _.example.com.pfx for *.example.com.";

function parseStem(full: string): Stem {
  const hint = HINT.exec(full)?.[1]?.toLowerCase() as "rsa" | "ecdsa" | undefined; // the expression allows no other text
  const stem = hint === undefined ? full : full.slice(0, -hint.length - 1);
  const nobody = (problem: string): Stem => ({ problem, remedy: RENAME });
  if (stem.toLowerCase() === "default") return nobody("`default` is not taken for a host: the file serves only rows that name it");
  if (stem.includes("*")) return nobody("a wildcard is written `_.` in a file name, not `*.`");
  const wild = stem.startsWith("_.");
  const host = parseHostName(wild ? stem.slice(2) : stem);
  if (host === undefined || stem.endsWith(".")) return nobody(`${JSON.stringify(stem.slice(0, 260))} is not a host name`);
  if (host.split(".").includes("_")) return nobody("the wildcard `_` stands for the left-most label only");
  const pattern = parseHostPattern(wild ? `*.${host}` : host);
  return pattern === undefined ? nobody("it is not a host name") : { pattern, hint };
}
