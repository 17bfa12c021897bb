import type { Instant } from "../base/index.ts";
import type { FileKnowledge, LeafFacts } from "../handshake/index.ts";
import type { CertificateFacts, FileReading, FileStatus, PreparedCertificate } from "../pki/index.ts";

/** A version of a file that can be served. */
export interface GoodVersion {
  readonly stamp: string;
  readonly leaf: LeafFacts;
  /** Kept here only while the present file is bad: nothing else could give it back. */
  readonly prepared?: PreparedCertificate;
}

/** What is wrong with the file as it is now. */
interface BadVersion {
  readonly status: FileStatus;
  readonly problem: string;
  readonly remedy?: string;
}

/** What a node remembers of a file it has read: small on purpose, as there may be many. */
export interface KnownFile {
  /** The version that was looked at last; empty when it could not be read at all. */
  readonly stamp: string;
  readonly knowledge: FileKnowledge;
  readonly good?: GoodVersion;
  readonly bad?: BadVersion;
  readonly status: FileStatus;
  readonly readAt: Instant;
  /** Bad readings in a row: sets the pause until the next try. */
  readonly failures: number;
}

/** What became of one look at a file. */
export interface Looked {
  readonly stamp: string;
  readonly reading: FileReading;
}

const SERVABLE: readonly FileStatus[] = ["ok", "expired", "not-yet-valid"];

/** The facts that selection needs; undefined when the reading cannot be served. */
export function leafOf(reading: FileReading): LeafFacts | undefined {
  const leaf = reading.facts?.leaf;
  if (leaf === undefined || reading.prepared === undefined || !SERVABLE.includes(reading.status)) return undefined;
  const { thumbprint, keyType, dnsNames, notBefore, notAfter } = leaf;
  if (keyType === "other") return undefined;
  // A root is not sent, unless it is all there is.
  const chainLength = 1 + (reading.facts?.chain ?? []).slice(1).filter(({ selfSigned }) => !selfSigned).length;
  return { thumbprint, keyType, dnsNames, notBefore, notAfter, chainLength };
}

/**
 * What is known after a look. A version that cannot be served, or that is not valid now, never displaces one that is:
 * the earlier goes on and `bad` says what is wrong with its successor.
 */
export function afterLook(file: string, former: KnownFile | undefined, looked: Looked, now: Instant): KnownFile {
  const { reading, stamp } = looked;
  const leaf = leafOf(reading);
  const earlier = former?.good;
  const base = { stamp, status: reading.status, readAt: now };
  if (leaf !== undefined && !(reading.status !== "ok" && earlier !== undefined && earlier.stamp !== stamp && isValid(earlier.leaf, now))) {
    return { ...base, knowledge: { file, state: "usable", leaf }, good: { stamp, leaf }, failures: 0 };
  }
  const bad = badVersion(reading);
  const failures = former?.bad !== undefined && former.stamp === stamp ? former.failures + 1 : 1;
  if (earlier !== undefined) return { ...base, knowledge: usable(file, former, earlier), good: earlier, bad, failures };
  return { ...base, knowledge: { file, state: "unusable", status: bad.status, problem: bad.problem }, bad, failures };
}

/** The same file once its earlier version is lost: what remains is the bad one. */
export function withoutGood(file: string, known: KnownFile): KnownFile {
  const { good: _lost, ...rest } = known;
  const bad = known.bad ?? { status: "unreadable" as const, problem: "the version in use cannot be read again" };
  return { ...rest, bad, knowledge: { file, state: "unusable", status: bad.status, problem: bad.problem } };
}

/** Milliseconds until a bad file is looked at again although nothing changed: a copy in progress soon, others ever more rarely. */
export function retryPause(failures: number): number {
  return Math.min(60_000, 500 * 2 ** Math.min(failures, 10));
}

/** Whether a failed file is worth another look without a change: an unreadable one always, a bad one while it may still be written. */
export function worthRetry(known: KnownFile): boolean {
  if (known.bad === undefined) return false;
  return known.status === "unreadable" || known.status === "not-yet-valid" || known.failures < 6;
}

/** Whether the same version is served: a new one may hold the same leaf and another chain. */
export function sameService(a: KnownFile, b: KnownFile): boolean {
  return a.good?.stamp === b.good?.stamp && a.knowledge.state === b.knowledge.state;
}

/** Whether a leaf is valid at a moment. */
export function isValid(leaf: Pick<CertificateFacts, "notBefore" | "notAfter">, now: Instant): boolean {
  return leaf.notBefore <= now && now <= leaf.notAfter;
}

function usable(file: string, former: KnownFile | undefined, good: GoodVersion): FileKnowledge {
  return former?.knowledge.state === "usable" ? former.knowledge : { file, state: "usable", leaf: good.leaf };
}

function badVersion(reading: FileReading): BadVersion {
  const problem = reading.problem ?? `the file is ${reading.status}`;
  return {
    status: reading.status === "ok" ? "unsupported-algorithm" : reading.status,
    problem,
    ...(reading.remedy === undefined ? {} : { remedy: reading.remedy }),
  };
}
