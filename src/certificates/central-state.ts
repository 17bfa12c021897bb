import { LRUCache } from "lru-cache";

import { wildcardOf, type HostName, type HostPattern, type Instant, type Log } from "../base/index.ts";
import type { CandidateVia, CentralView, FileKnowledge } from "../handshake/index.ts";
import { parseFileName, type PreparedCertificate } from "../pki/index.ts";
import { createCoveringNames, type CoveringNames } from "./covering.ts";
import type { KnownFile } from "./known-file.ts";
import { Listing } from "./listing.ts";
import type { CertificateChange } from "./types.ts";

/** Bounds of what a node holds in memory. */
export interface CertificateLimits {
  /** Octets of one file. @default 1 MiB */
  readonly maxFileBytes: number;
  /** Files that may wait to be read. @default 4,096 */
  readonly maxWaiting: number;
  /** Files whose facts are remembered. @default 20,000 */
  readonly maxKnown: number;
  /** Files whose key and chain are held ready: those being put to use, as what is in use holds its own. @default 500 */
  readonly maxPrepared: number;
  /** Octets of those. @default 32 MiB */
  readonly maxPreparedBytes: number;
  /** Files whose other names are remembered. @default 40,000 */
  readonly maxCovering: number;
}

/** The defaults of CertificateLimits. */
export const DEFAULT_LIMITS: CertificateLimits = {
  maxFileBytes: 1 << 20,
  maxWaiting: 4_096,
  maxKnown: 20_000,
  maxPrepared: 500,
  maxPreparedBytes: 32 << 20,
  maxCovering: 40_000,
};

/** A version of a file, ready for use. */
interface PreparedVersion {
  readonly stamp: string;
  readonly certificate: PreparedCertificate;
}

/** Everything that is known of the central certificates, and who wants to hear of changes. */
export interface CentralState {
  readonly listing: Listing;
  readonly known: LRUCache<string, KnownFile>;
  readonly prepared: LRUCache<string, PreparedVersion>;
  readonly covering: CoveringNames;
  readonly view: CentralView;
  staleSince: Instant | undefined;
  /** Takes back everything that is known of a file. */
  forget(file: string): void;
  notify(change: CertificateChange): void;
  /** Some file was learned to cover more hosts: told within COVERING_NOTICE_MS, many at once, as each notice makes a node decide anew. */
  notifyCovering(): void;
  onChange(listener: (change: CertificateChange) => void): () => void;
}

const COVERING_NOTICE_MS = 100;

/** Nothing known yet. */
export function createCentralState(limits: CertificateLimits, log: Log): CentralState {
  const listing = new Listing();
  const known = new LRUCache<string, KnownFile>({ max: limits.maxKnown });
  const prepared = new LRUCache<string, PreparedVersion>({
    max: limits.maxPrepared,
    maxSize: limits.maxPreparedBytes,
    sizeCalculation: ({ certificate }) => certificate.chainPem.length + certificate.keyPem.reveal().length + 1,
  });
  const covering = createCoveringNames(limits.maxCovering);
  const listeners = new Set<(change: CertificateChange) => void>();
  let isCoveringTold = true;
  const notify = (change: CertificateChange): void => {
    for (const listener of listeners) {
      try {
        listener(change);
      } catch (error) {
        log.error("a listener of certificate changes failed", { problem: String(error) });
      }
    }
  };
  const tellCovering = (): void => {
    isCoveringTold = true;
    notify({ files: [], listingChanged: true });
  };
  return {
    listing,
    known,
    prepared,
    covering,
    view: createView(listing, known, covering),
    staleSince: undefined,
    forget(file) {
      known.delete(file);
      prepared.delete(file);
      covering.forget(file);
    },
    notify,
    notifyCovering() {
      if (isCoveringTold) setTimeout(tellCovering, COVERING_NOTICE_MS).unref();
      isCoveringTold = false;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** The names of a certificate that its file's own name does not promise; none for a file whose name serves nobody. */
export function namesBeyond(file: string, dnsNames: readonly HostPattern[]): readonly HostPattern[] {
  const promised = parseFileName(file)?.pattern;
  return promised === undefined ? [] : dnsNames.filter((name) => name !== promised);
}

function createView(listing: Listing, known: LRUCache<string, KnownFile>, covering: CoveringNames): CentralView {
  const knowledgeOf = (file: string): FileKnowledge => known.get(file)?.knowledge ?? { file, state: "unread" };
  return {
    candidates(host) {
      const found = new Map<string, CandidateVia>();
      const wildcard = wildcardOf(host);
      for (const file of listing.filesFor(patternOf(host))) found.set(file, "exact");
      if (wildcard !== undefined) for (const file of listing.filesFor(wildcard)) found.set(file, "wildcard");
      for (const file of covering.filesFor(host)) if (!found.has(file)) found.set(file, "covering");
      return [...found].map(([file, via]) => ({ via, knowledge: knowledgeOf(file) }));
    },
    file(name) {
      const file = listing.resolve(name);
      return file === undefined ? undefined : knowledgeOf(file);
    },
  };
}

function patternOf(host: HostName): HostPattern {
  return host as unknown as HostPattern; // every HostName is a HostPattern
}
