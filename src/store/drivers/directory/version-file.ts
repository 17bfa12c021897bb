import { createHash, randomBytes } from "node:crypto";

import type { Rev } from "../../contract.ts";

/** What a version file says before its value. */
export interface VersionHeader {
  readonly key: string;
  readonly rev: Rev;
  /** The versions before this one, the latest first, at most ANCESTORS. */
  readonly ancestors: readonly string[];
  /** Octets of the value. */
  readonly length: number;
  /** True for a tombstone. */
  readonly removed: boolean;
}

/** A version file's content. `short`: it ends early, its writer may still be writing. `damaged`: it is all there, but wrong. */
export type VersionContent = { readonly header: VersionHeader; readonly value: Uint8Array } | "short" | "damaged";

/** How many versions back a version names: a writer that was stopped for a moment can still tell whether others built on its own. */
export const ANCESTORS = 16;

const MAGIC = "certfarm-version 1 ";
const FIRST_LINE = MAGIC.length + 64 + 1;
const NEWLINE = 10;

/** A version number and a random part: two versions never have the same, whatever happened between. */
export const newRev = (version: number): Rev => `${version}-${randomBytes(8).toString("hex")}` as Rev; // the brand's one maker here

/** Line 1: format and SHA-256 of all that follows; line 2: the header; then the value. */
export function encodeVersion(header: VersionHeader, value: Uint8Array): Uint8Array {
  const rest = Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`, "utf8"), value]);
  const digest = createHash("sha256").update(rest).digest("hex");
  return Buffer.concat([Buffer.from(`${MAGIC}${digest}\n`, "latin1"), rest]);
}

/** The content of a version file. */
export function decodeVersion(bytes: Buffer): VersionContent {
  const end = bytes.indexOf(NEWLINE, FIRST_LINE);
  if (end < 0) return bytes.length < FIRST_LINE || bytes.toString("latin1", 0, MAGIC.length) === MAGIC ? "short" : "damaged";
  const header = parseHeader(bytes.toString("utf8", FIRST_LINE, end));
  if (header === undefined) return "damaged";
  const value = bytes.subarray(end + 1);
  if (value.length < header.length) return "short";
  const digest = createHash("sha256").update(bytes.subarray(FIRST_LINE)).digest("hex");
  const right = bytes.toString("latin1", 0, FIRST_LINE) === `${MAGIC}${digest}\n`;
  return right && value.length === header.length ? { header, value: Uint8Array.from(value) } : "damaged";
}

function parseHeader(line: string): VersionHeader | undefined {
  try {
    const parsed: unknown = JSON.parse(line);
    return isHeader(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function isHeader(value: unknown): value is VersionHeader {
  if (typeof value !== "object" || value === null) return false;
  const header: Partial<Record<keyof VersionHeader, unknown>> = value;
  const texts = typeof header.key === "string" && typeof header.rev === "string" && Array.isArray(header.ancestors);
  return texts && typeof header.length === "number" && typeof header.removed === "boolean";
}
