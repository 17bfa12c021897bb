import type { Endpoint, HostPattern, Instant, IpAddress } from "../base/index.ts";
import type { Drift, RowKey } from "../bindings/index.ts";
import type { RefusalCode } from "../handshake/index.ts";
import type { FileReading } from "../pki/index.ts";

/** Where a fact comes from, as a finding names it: `web2: netsh http show sslcert`, `web2.json`, `node web2`. */
export type Source = string;

/** Something that could not be looked at, and why: evidence that is missing is recorded as missing. */
export interface Gap {
  /** Absent = it concerns the farm. */
  readonly node?: string;
  readonly what: EvidencePart | "probes" | "dns" | "files";
  readonly why: string;
}

/** The parts that evidence of a node may have. */
export type EvidencePart = Exclude<keyof NodeEvidence, "make" | "source" | "at">;

/** What a node says of itself, whatever server it is. A part that is absent was not looked at: a Gap says why. */
export interface NodeEvidence {
  readonly make: "certfarm" | "iis" | "nginx" | "haproxy";
  readonly source: Source;
  /** When it was collected. */
  readonly at?: Instant;
  readonly system?: SystemEvidence;
  readonly clock?: ClockEvidence;
  /** Addresses of the machine, loopback included: on Windows a load balancer's address is often on a loopback adapter. */
  readonly addresses?: readonly IpAddress[];
  readonly table?: TableEvidence;
  readonly bindings?: BindingsEvidence;
  readonly central?: CentralEvidence;
  readonly configuration?: ConfigurationEvidence;
  /** Certificates of the machine's own stores (Windows), or those that a configuration names by path. */
  readonly certificates?: readonly InstalledCertificate[];
  readonly events?: readonly EventEvidence[];
  readonly refusals?: {
    readonly source: Source;
    readonly total: number;
    readonly byReason: Readonly<Partial<Record<RefusalCode, number>>>;
    /** Those of the last while alone: totals also count what was mended since. */
    readonly recent?: { readonly since: Instant; readonly byReason: Readonly<Partial<Record<RefusalCode, number>>> };
  };
  /** Requests to the node that nobody who may had signed; a certfarm node only. */
  readonly requests?: {
    readonly source: Source;
    /** Since it started. */
    readonly total: number;
    /** Those of the last while, as far as they are kept. */
    readonly recent: { readonly since: Instant; readonly byReason: Readonly<Record<string, number>>; readonly last?: string };
  };
  readonly content?: readonly { readonly folder: string; readonly digest: string; readonly problem?: string }[];
  readonly store?: StoreEvidence;
  readonly listeners?: readonly ListenerEvidence[];
  /** What the node says of its own proofs; a certfarm node only. */
  readonly proof?: { readonly proved: number; readonly failed: number; readonly pending: number };
  /** TLS versions that the system's settings turn on or off for servers. */
  readonly protocols?: readonly {
    readonly protocol: "TLS 1.0" | "TLS 1.1" | "TLS 1.2" | "TLS 1.3";
    readonly enabled: boolean;
    readonly source: Source;
  }[];
  /** A short one-way digest of the ticket keys in use; equal on nodes that resume each other's sessions. */
  readonly ticketKeys?: { readonly source: Source; readonly fingerprint: string };
}

/** The machine. `build` is Windows' build number: 9200 = Server 2012, 14393 = 2016, 17763 = 2019, 20348 = 2022, 26100 = 2025. */
export interface SystemEvidence {
  readonly source: Source;
  readonly name: string;
  readonly version: string;
  readonly build?: number;
  /** When the server process (certfarm) or the machine (Windows) started. */
  readonly startedAt?: Instant;
  readonly features?: readonly string[];
  /** certfarm: it was told to let its clients go. */
  readonly draining?: boolean;
  readonly resources?: { readonly rssBytes: number; readonly connections: number; readonly cpuSeconds: number };
}

/** How far the node's clock is ahead of ours, in milliseconds, and how sure that is. */
export interface ClockEvidence {
  readonly source: Source;
  readonly offsetMs: number;
  readonly uncertaintyMs: number;
}

/** Key of a row as any HTTP.sys has it: certfarm's four kinds, and scoped central rows. */
export type EvidenceRowKey = RowKey | { readonly kind: "scoped-central"; readonly host: HostPattern; readonly port: number };

/** A row of a node's binding table. */
export interface EvidenceRow {
  readonly key: EvidenceRowKey;
  /** 40 or 64 upper-case hexadecimal digits; absent on central rows, and when the row names a file. */
  readonly thumbprint?: string;
  /** certfarm: the central file that the row names. */
  readonly file?: string;
  /** `My`, `WebHosting`; absent = `(null)`. */
  readonly storeName?: string;
  /** `{GUID}`, lower case. */
  readonly appId?: string;
  /** Everything else that the row says, as written: label → value. */
  readonly options: Readonly<Record<string, string>>;
}

/** A node's binding table. */
export interface TableEvidence {
  readonly source: Source;
  readonly rows: readonly EvidenceRow[];
  /** Lines that could not be read: line number and text, bounded. */
  readonly unread: readonly { readonly line: number; readonly text: string }[];
  /** certfarm: how the table differs from the desired one. */
  readonly drift?: readonly Drift[];
  readonly reconcile?: "mend" | "observe";
}

/** A binding of a site as a node's own copy of the configuration has it. */
export interface EvidenceBinding {
  readonly site: string;
  readonly protocol: string;
  readonly address: IpAddress | "*";
  readonly port: number;
  /** Absent = any host. */
  readonly host?: HostPattern;
  readonly sni: boolean;
  readonly central: boolean;
  /** IIS: the attribute as written, unknown bits kept. */
  readonly sslFlags?: number;
  /** Whether the site starts by itself; false = it is stopped. */
  readonly started?: boolean;
  /** nginx, HAProxy: paths of the certificate files that it serves from, each the `store` of an InstalledCertificate. */
  readonly files?: readonly string[];
}

/** What a node's configuration asks for. */
export interface BindingsEvidence {
  readonly source: Source;
  readonly bindings: readonly EvidenceBinding[];
}

/** How a node sees the central certificates. */
export interface CentralEvidence {
  readonly source: Source;
  /** IIS: the feature Web-CertProvider. */
  readonly installed?: boolean;
  readonly enabled?: boolean;
  readonly location?: string;
  readonly user?: string;
  /** Whether a password for the PFX files is set; never the password. */
  readonly hasPassword?: boolean;
  readonly pollingSeconds?: number;
  /** What came of reading the folder as the account that the server uses. */
  readonly access?:
    | { readonly kind: "readable" }
    | { readonly kind: "failed"; readonly cause: "logon" | "unreachable" | "denied" | "absent" | "other"; readonly message: string };
  readonly files?: readonly CentralFile[];
}

/** A file of the central certificates, as a node or the doctor itself sees it. */
export interface CentralFile {
  /** As written on disk. */
  readonly name: string;
  readonly size: number;
  readonly modifiedAt?: Instant;
  /** SHA-256 of the content, upper-case hexadecimal; absent when it was not read. */
  readonly digest?: string;
  /** What reading its octets came to; absent = not tried. */
  readonly access?: "readable" | "denied" | "failed";
  /** What opening it with the passwords known came to; absent = not tried. */
  readonly reading?: FileReading;
  /** certfarm: the certificate in use when it is not the one in the file (a bad replacement never displaces a good one). */
  readonly inUse?: { readonly thumbprint: string; readonly since?: Instant };
}

/** A node's copy of the shared configuration. */
export interface ConfigurationEvidence {
  readonly source: Source;
  /** certfarm: the revision that is applied; 0 = none. */
  readonly revision?: number;
  /** Digest of the text; equal on nodes that have the same configuration. */
  readonly digest?: string;
  /** Why it, or a newer one, cannot be used: malformed XML with line and column, a refused revision. */
  readonly problem?: string;
  /** IIS: shared configuration. */
  readonly redirection?: { readonly enabled: boolean; readonly path?: string; readonly user?: string };
  /** IIS: `customMetadata` property 5506 is present: it wipes rows at the service's start. */
  readonly legacyBindingData?: boolean;
}

/** A certificate installed on a node. */
export interface InstalledCertificate {
  readonly source: Source;
  /** Windows: `My`, `WebHosting`, `CA`, `Root`; else the file's path. */
  readonly store: string;
  readonly thumbprint: string;
  readonly subject: string;
  readonly issuer: string;
  readonly dnsNames: readonly string[];
  readonly notBefore: Instant;
  readonly notAfter: Instant;
  readonly hasKey?: boolean;
  /** Windows: 0 = none, 1 = AT_KEYEXCHANGE, 2 = AT_SIGNATURE; absent for CNG keys. */
  readonly keySpec?: number;
  /** False: the server's account cannot read the key. */
  readonly keyReadable?: boolean;
  /** Whether the chain builds on the node, from its own stores. */
  readonly chain?: { readonly complete: boolean; readonly problem?: string };
}

/** A line of a system's event log. */
export interface EventEvidence {
  /** `Schannel`, `HttpEvent`, `IIS-W3SVC-WP`. */
  readonly log: string;
  readonly id: number;
  readonly at: Instant;
  readonly message: string;
}

/** How a certfarm node gets on with the store. */
export interface StoreEvidence {
  readonly source: Source;
  readonly staleSince?: Instant;
  /** Write, read, compare, delete. */
  readonly selfTest?:
    | { readonly kind: "passed"; readonly tookMs: number }
    | { readonly kind: "failed"; readonly step: string; readonly message: string };
}

/** A port that a node listens on, or should. */
export interface ListenerEvidence {
  readonly endpoint: Endpoint;
  /** The port that bindings name; differs where a node maps ports. */
  readonly bindingPort: number;
  readonly protocol: "http" | "https";
  /** Whether it expects a PROXY protocol header before all else; absent = not known. */
  readonly proxyProtocol?: boolean;
  readonly process?: string;
  readonly problem?: string;
}
