import { createHash } from "node:crypto";

import { instant, type Instant } from "../base/index.ts";

/** Who did something. `role` and `by` are those of the admin API's callers, or `node` and `local` for a process of the farm. */
export interface AuditCaller {
  readonly name: string;
  readonly role: string;
  readonly by: string;
}

/** How something ended: `refused` = the farm declined it and nothing was changed, `failed` = it may have been done in part. */
export type AuditOutcome = "done" | "refused" | "failed";

/** One entry of the log. A change has two: one before it is begun, one when it has ended; what needs no intent has one (`noted`). */
export interface AuditEntry {
  /** From 1, without a gap. */
  readonly seq: number;
  /** By the clock of the process that wrote it. */
  readonly at: Instant;
  readonly caller: AuditCaller;
  /** What was done: the name of a route, or of a step of it. */
  readonly action: string;
  /** What it was done to, in few words; never a secret. */
  readonly target: string;
  readonly phase: "begun" | "ended" | "noted";
  /** `ended`: the entry that began it; `begun` and `noted`: the change that this is a part of. */
  readonly of?: number;
  readonly outcome?: AuditOutcome;
  /** Why it was not done: an error's code, or a few words. */
  readonly detail?: string;
  /** Random, so that no two entries are the same. */
  readonly id: string;
  /** Digest of the entry before; 64 zeros for the first. */
  readonly previous: string;
}

/** An entry with its own digest: SHA-256 over its text, which holds the digest of the entry before. */
export interface ChainedEntry {
  readonly entry: AuditEntry;
  readonly digest: string;
}

/** What stands before the first entry. */
export const GENESIS = "0".repeat(64);

const MAX_TEXT = 300;
/** An entry's text is far below this. */
const MAX_ENTRY_BYTES = 6 * 1024;
const DIGEST = /^[0-9a-f]{64}$/;
const UTF8 = new TextDecoder("utf-8", { fatal: true });

/** SHA-256 in hexadecimal. */
export const sha256 = (data: string | Uint8Array): string => createHash("sha256").update(data).digest("hex");

/** Texts of an entry are short, of whole characters, and on one line. */
export const shortText = (text: string): string => {
  const line = text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT - 1)}…`;
  // By way of UTF-8 half a surrogate pair becomes a replacement character.
  return Buffer.from(line, "utf8")
    .toString("utf8")
    .replaceAll(/\p{Cc}/gu, "?");
};

/** An entry's octets: its digest, a newline, and its text as JSON. The digest is of the text exactly as it stands there. */
export function writeEntry(entry: AuditEntry): { readonly bytes: Uint8Array; readonly digest: string } {
  const text = JSON.stringify(entry);
  const digest = sha256(text);
  return { bytes: new TextEncoder().encode(`${digest}\n${text}`), digest };
}

/** The entry in these octets; a text = why they are none. `changed` = it is not what its digest was made of. */
export function readEntry(bytes: Uint8Array): ChainedEntry | { readonly problem: string; readonly kind: "damaged" | "changed" } {
  if (bytes.length > MAX_ENTRY_BYTES || bytes[64] !== 10) return { kind: "damaged", problem: "it is no entry" };
  const digest = Buffer.from(bytes.subarray(0, 64)).toString("latin1");
  const text = bytes.subarray(65);
  if (!DIGEST.test(digest)) return { kind: "damaged", problem: "it has no digest" };
  if (sha256(text) !== digest) return { kind: "changed", problem: "it is not what its own digest was made of" };
  const entry = entryIn(text);
  return entry === undefined ? { kind: "damaged", problem: "its text is not that of an entry" } : { entry, digest };
}

function entryIn(text: Uint8Array): AuditEntry | undefined {
  try {
    const value: unknown = JSON.parse(UTF8.decode(text));
    return isEntry(value) ? { ...value, at: instant(value.at) } : undefined;
  } catch {
    return undefined; // no text, or no JSON
  }
}

const PHASES: readonly unknown[] = ["begun", "ended", "noted"];
const OUTCOMES: readonly unknown[] = [undefined, "done", "refused", "failed"];

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === "object" && value !== null;
const isWhole = (value: unknown): value is number => Number.isSafeInteger(value);

function isEntry(value: unknown): value is AuditEntry {
  if (!isRecord(value) || !isRecord(value["caller"])) return false;
  const { caller, action, target, id, detail, previous } = value;
  const texts = [action, target, id, caller["name"], caller["role"], caller["by"], previous];
  if (!texts.every((text) => typeof text === "string") || (detail !== undefined && typeof detail !== "string")) return false;
  if (!PHASES.includes(value["phase"]) || !OUTCOMES.includes(value["outcome"])) return false;
  return isWhole(value["seq"]) && isWhole(value["at"]) && (value["of"] === undefined || isWhole(value["of"]));
}
