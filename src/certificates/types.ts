import type { Instant } from "../base/index.ts";
import type { CentralView } from "../handshake/index.ts";
import type { FileReading, FileStatus, PreparedCertificate } from "../pki/index.ts";

/** Where the background scan for names beyond those of the files stands. */
export interface ScanProgress {
  readonly state: "off" | "waiting" | "running" | "complete" | "stopped-short";
  /** Files whose certificates' names are known. */
  readonly files: number;
}

/**
 * What a change notice concerns. `files`: came, went, or what they serve changed. `listingChanged`: hosts may be answered by other files
 * than before, because names came or went or a certificate was found to cover more hosts (then `files` is empty).
 */
export type CertificateChange = { readonly files: readonly string[]; readonly listingChanged: boolean };

/** What this node knows of one file, for people. */
export interface FileReport {
  readonly file: string;
  /** `unread`: nobody asked for it yet. */
  readonly status: FileStatus | "unread";
  /** A good earlier version goes on being served although the present file is bad. */
  readonly servingEarlierVersion: boolean;
  readonly problem?: string;
  readonly remedy?: string;
  readonly thumbprint?: string;
  readonly notAfter?: Instant;
  readonly readAt?: Instant;
}

/**
 * The central certificates as a node uses them. Listing is names only; a file is read when a handshake asks for it (single flight,
 * bounded, in worker threads), read again when it changed, and a bad replacement never displaces a good one in use.
 */
export interface CentralCertificates {
  /** Current knowledge; the object stays the same, its answers change. */
  readonly view: CentralView;
  /** Reads files that are unread or changed; afterwards the view knows them as usable or unusable. Bad files do not throw. */
  read(files: readonly string[], options?: { readonly signal?: AbortSignal }): Promise<void>;
  /** Reads these files again although nothing hinted at a change, and compares the folder soon. Bad files do not throw. */
  refresh(files: readonly string[]): Promise<void>;
  /** Key and chain of a usable file; undefined when it is not usable (any longer). */
  prepared(file: string): Promise<PreparedCertificate | undefined>;
  /** Called after the view changed. Returns the unsubscriber. */
  onChange(listener: (change: CertificateChange) => void): () => void;
  /** Whether the store answered at the last look, and since when not. */
  readonly staleSince: Instant | undefined;
  /** How many files are listed, read, unusable. */
  counts(): { readonly listed: number; readonly read: number; readonly unusable: number; readonly scan: ScanProgress };
  /** Files this node has read, at most `limit`, unusable ones first. */
  reports(limit: number): readonly FileReport[];
  /** Whether the names are known. Until then `view` knows those that were looked for, see `look`. */
  readonly isListed: boolean;
  /** The first listing, or the node's own copy of it when the store is gone; it is begun at once if it was put off. */
  listed(): Promise<void>;
  /** Asks the folder for these names, which the view knows afterwards if they are there. False: the folder does not answer soon. */
  look(files: readonly string[]): Promise<boolean>;
  close(): Promise<void>;
}

/** One file of `certfarm certs list`. */
export interface FileListing {
  readonly file: string;
  readonly reading: Omit<FileReading, "prepared">;
  /** The host names that this file's name promises. */
  readonly promises: readonly string[];
  /** Files that answer for the same names; which one wins, and why. */
  readonly shadowedBy?: { readonly file: string; readonly because: string };
  readonly warnings: readonly string[];
}
