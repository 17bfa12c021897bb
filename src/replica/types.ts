import type { ErrorCode, Instant } from "../base/index.ts";
import type { FarmConfig } from "../config/index.ts";
import type { RefusalCode } from "../handshake/index.ts";

/** An immutable, numbered version of the shared configuration. */
export interface Revision {
  readonly number: number;
  readonly yaml: string;
  /** sha256 of the YAML text, hexadecimal. */
  readonly digest: string;
  readonly at: Instant;
  /** Who applied it, as far as known: `user@machine`, `saved file`. */
  readonly by: string;
  readonly note?: string;
  /** In a farm with identities: the admin whose signature it carries. `at` is signed with it. */
  readonly signer?: string;
  /** Of that admin's certificate, upper-case hexadecimal. */
  readonly signerSerial?: string;
  /** Why no node of a farm with identities applies it. */
  readonly refused?: string;
}

/** A revision that parsed. */
export interface ConfigState {
  readonly revision: Revision;
  readonly config: FarmConfig;
}

/** A site's content as a list of files; itself stored as a blob, so its digest names the whole content. */
export interface Manifest {
  readonly folder: string;
  readonly files: readonly ManifestFile[];
}

/** A file of a manifest. */
export interface ManifestFile {
  /** Relative path with `/`. */
  readonly path: string;
  readonly size: number;
  /** sha256, hexadecimal. */
  readonly sha256: string;
  readonly mtimeMs: number;
}

/** What one node proved of one host on one port by dialling itself. */
export interface HostProof {
  readonly host: string;
  readonly port: number;
  readonly verdict: "proved" | "failed" | "pending";
  readonly thumbprint?: string;
  /** Why it failed, in one sentence. */
  readonly problem?: string;
  readonly reason?: RefusalCode | "wrong-certificate" | "no-answer" | "untrusted";
  readonly at?: Instant;
}

/** What a node says of itself, overwritten in place every few seconds and at every change. */
export interface NodeReport {
  readonly node: string;
  readonly at: Instant;
  readonly startedAt: Instant;
  readonly pid: number;
  readonly version: string;
  readonly nodeVersion: string;
  /** Applied revision; 0 = none yet. */
  readonly revision: number;
  readonly digest: string;
  /** Why the newest revision is not applied. */
  readonly revisionProblem?: string;
  /** The store has not answered since then; the node serves from its own copies. */
  readonly staleSince?: Instant;
  /** In a farm with identities: the node's own. */
  readonly identity?: {
    readonly serial: string;
    readonly notAfter: Instant;
    readonly revoked: boolean;
    /** The last attempts to renew it failed. */
    readonly renewalFailing?: { readonly since: Instant; readonly problem: string };
  };
  readonly listeners: readonly {
    readonly address: string;
    readonly bindingPort: number;
    readonly port: number;
    readonly protocol: "http" | "https";
    readonly problem?: string;
    /** The problem as a code of the errors table. */
    readonly code?: ErrorCode;
  }[];
  readonly table: { readonly rows: number; readonly drift: readonly string[]; readonly reconcile: "mend" | "observe" };
  readonly content: readonly { readonly folder: string; readonly digest: string; readonly files: number; readonly problem?: string }[];
  readonly proof: {
    readonly proved: number;
    readonly failed: number;
    readonly pending: number;
    /** Failed ones first, then the rest; bounded, see `truncated`. */
    readonly hosts: readonly HostProof[];
    readonly truncated: boolean;
  };
  readonly refusals: { readonly total: number; readonly byReason: Readonly<Record<string, number>> };
  readonly handshakes: { readonly served: number; readonly resumed: number };
  readonly certificates: { readonly listed: number; readonly read: number; readonly unusable: number };
  readonly draining: boolean;
  readonly resources: { readonly rssBytes: number; readonly connections: number; readonly liveNames: number; readonly cpuSeconds: number };
}

/** What one process asks of a node over the store: see NodeRequestMap in `admin` for the verbs. */
export interface NodeRequest {
  readonly verb: string;
  readonly input: unknown;
}

/** The keys of the farm's TLS session tickets. Secret: never logged or reported. */
export interface TicketKeySet {
  readonly current: TicketKey;
  readonly previous?: TicketKey;
  readonly next: TicketKey;
}

/** One ticket key; per-host keys are derived from it (HKDF), so a ticket of one host never resumes another. */
export interface TicketKey {
  readonly id: string;
  /** 32 octets. */
  readonly secret: Uint8Array;
  readonly createdAt: Instant;
}
