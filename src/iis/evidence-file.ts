import { z } from "zod";

/** Marks the JSON files that the script of `certfarm iis collect` writes. */
export const EVIDENCE_FORMAT = "certfarm-iis-evidence";

/** The version of the form below. A field may be added without a new one: readers ignore what they do not know. */
export const EVIDENCE_VERSION = 1;

/**
 * A part of the file that could be collected or not, as `problems` names it. What a problem names is then said to be missing, with its
 * reason, instead of being taken as absent from the server.
 */
export const EVIDENCE_FILE_PARTS = [
  "system",
  "clock",
  "addresses",
  "features",
  "table",
  "central",
  "access",
  "files",
  "configuration",
  "certificates",
  "events",
  "protocols",
  "sites",
  "listeners",
] as const;

/** PowerShell writes `null` for what it does not have: the same as leaving the field out. */
function optional<T extends z.ZodType>(shape: T) {
  return z.preprocess((value) => value ?? undefined, shape.optional());
}

/** The most entries of a list; a share has one file a host name. */
const MAX_ENTRIES = 200_000;

/** Wrong entries of a list that are told before the others are left unread: a hostile file must not make millions of complaints. */
const MAX_WRONG = 5;

/** PowerShell writes a list of one as its element, and an empty list as `null`: both are read as lists. */
function list<T extends z.ZodType>(shape: T) {
  return z
    .unknown()
    .transform((value, context): z.output<T>[] | undefined => {
      if (value === null || value === undefined) return undefined;
      const entries: readonly unknown[] = Array.isArray(value) ? value : [value];
      if (entries.length > MAX_ENTRIES)
        context.addIssue({ code: "custom", message: `has ${entries.length} entries; at most ${MAX_ENTRIES} are read` });
      return entries.length > MAX_ENTRIES ? z.NEVER : readEntries(shape, entries, context);
    })
    .optional();
}

function readEntries<T extends z.ZodType>(shape: T, entries: readonly unknown[], context: z.core.$RefinementCtx): z.output<T>[] {
  const read: z.output<T>[] = [];
  let wrong = 0;
  for (const [at, entry] of entries.entries()) {
    const result = shape.safeParse(entry);
    if (result.success) read.push(result.data);
    else {
      for (const { path, message } of result.error.issues) context.addIssue({ code: "custom", path: [at, ...path], message });
      wrong += 1;
    }
    if (wrong === MAX_WRONG) break;
  }
  return wrong === 0 ? read : z.NEVER;
}

/** `2026-06-15T12:00:00.1234567Z`: .NET's round-trip form, in UTC. */
const moment = z.iso.datetime({ offset: true, error: "must be a UTC time such as 2026-06-15T12:00:00Z" });

/** A DWORD of the registry; PowerShell shows those above 0x7fffffff as negative numbers. */
const dword = z.int().min(-0x80_00_00_00).max(0xff_ff_ff_ff);

const count = z.int().min(0);

/** The text of a file, or why there is none. */
const fileText = z.object({
  /** Where it was read: for applicationHost.config that is the shared folder when shared configuration is on. */
  path: optional(z.string()),
  /** Verbatim, as .NET decoded it (by BOM, else UTF-8). Encrypted values (`[enc:...]`) may be in it; readers drop them. */
  text: optional(z.string()),
  /** Why it could not be read, in the system's words. */
  error: optional(z.string()),
});

const centralFile = z.object({
  /** The plain name, as on disk. */
  name: z.string(),
  /** Octets. */
  size: count,
  modified: optional(moment),
  /** 64 hexadecimal digits over the content; absent when it was not read. */
  sha256: optional(z.string().regex(/^[0-9a-f]{64}$/i, { error: "must be 64 hexadecimal digits" })),
  /** Whether the account that IIS uses for the share can open it; absent = not tried as that account. */
  access: optional(z.enum(["readable", "denied", "failed"])),
});

const central = z.object({
  /** `HKLM\Software\Microsoft\INETSTP\Components\CertProvider` is 1. */
  installed: optional(z.boolean()),
  /** `HKLM\SOFTWARE\Microsoft\IIS\CentralCertProvider`: Enabled. False when absent. */
  enabled: optional(z.boolean()),
  /** CertStoreLocation. */
  location: optional(z.string()),
  /** UserName, `DOMAIN\user`. */
  user: optional(z.string()),
  /** Whether PrivateKeyPassword has a value. The value itself is never read. */
  hasPassword: optional(z.boolean()),
  /** PollingInterval in seconds; absent = the default of 300. */
  pollingSeconds: optional(dword),
  /**
   * Listing the folder. `as` names the account that really did it (`DOMAIN\administrator`, `NT AUTHORITY\SYSTEM`): a test as another
   * account than `user` says less, and the reader tells so.
   */
  access: optional(
    z.object({
      kind: z.enum(["readable", "failed"]),
      as: optional(z.string()),
      /** For `failed`: a wrong or expired password, no way to the server, no right, no such folder. */
      cause: optional(z.enum(["logon", "unreachable", "denied", "absent", "other"])),
      message: optional(z.string()),
    }),
  ),
  /** Files directly in the folder, whatever their extension: names that IIS does not see are a cause as well. */
  files: list(centralFile),
});

const certificate = z.object({
  /** The store of LocalMachine: `My`, `WebHosting`, `CA`, `Root`. */
  store: z.string(),
  /** SHA-1, hexadecimal in any case. */
  thumbprint: z.string().regex(/^[0-9a-f]{40}$/i, { error: "must be 40 hexadecimal digits" }),
  subject: z.string(),
  issuer: z.string(),
  /** DNS names of the subject alternative name. */
  dnsNames: list(z.string()),
  notBefore: moment,
  notAfter: moment,
  hasKey: optional(z.boolean()),
  /** CryptoAPI keys: 0, 1 = AT_KEYEXCHANGE, 2 = AT_SIGNATURE; absent for CNG keys. */
  keySpec: optional(dword),
  /** Whether the key could be opened. */
  keyReadable: optional(z.boolean()),
  /** X509Chain from the machine's own stores, without going online and without revocation; for certificates with a key. */
  chain: optional(z.object({ complete: z.boolean(), problem: optional(z.string()) })),
});

const event = z.object({
  /** `Schannel`, `HttpEvent`, `W3SVC`, `IIS-W3SVC-WP`, `WAS`: the provider without `Microsoft-Windows-`. */
  log: z.string(),
  id: count,
  at: moment,
  /** At most 1,000 characters. */
  message: optional(z.string()),
});

/**
 * What one IIS server says of itself: the JSON file that the script of `certfarm iis collect` writes, version 1. Every field besides the
 * first four is optional: what could not be collected is left out and told in `problems`. `null` is the same as leaving out, and a list
 * of one may be written as its element. Unknown fields are ignored. Nowhere a password.
 */
export const evidenceFileSchema = z.object({
  format: z.literal(EVIDENCE_FORMAT),
  version: z.literal(EVIDENCE_VERSION),
  /** The computer's name; what the doctor calls the node. */
  server: z.string().regex(/^[\p{L}\p{N}_][\p{L}\p{N}._-]{0,254}$/u, { error: "must be a computer's name" }),
  collectedAt: moment,

  /** `Microsoft Windows Server 2022 Standard`, `10.0.20348`, 20348. */
  os: optional(z.object({ caption: optional(z.string()), version: optional(z.string()), build: optional(count) })),
  /** When Windows started. */
  startedAt: optional(moment),
  /** The server's clock beside a reference. `offsetMs`: how far it is ahead; absent = nothing was compared. */
  clock: optional(
    z.object({
      utc: optional(moment),
      /** What it was compared with: a domain controller, `time.windows.com`. */
      reference: optional(z.string()),
      offsetMs: optional(z.number()),
      uncertaintyMs: optional(z.number().min(0)),
    }),
  ),
  /** Of all adapters, loopback included; IPv6 with or without its zone. */
  addresses: list(z.string()),
  /** Names of the installed Windows features: `Web-Server`, `Web-CertProvider` (or `IIS-CertProvider`). */
  features: list(z.string()),

  /** `netsh http show sslcert` as text, and with `json=enable` where the system has it. */
  table: optional(z.object({ text: optional(z.string()), json: optional(z.string()) })),
  central: optional(central),
  /** `redirection.config`, and the `applicationHost.config` that IIS uses. */
  configuration: optional(z.object({ redirection: optional(fileText), applicationHost: optional(fileText) })),
  certificates: list(certificate),
  /** Errors and warnings of the last day, the newest 500 at most. */
  events: list(event),
  /** `HKLM\...\SCHANNEL\Protocols\<protocol>\Server`; values as in the registry, absent = not set. Protocols without a key are left out. */
  protocols: list(
    z.object({
      protocol: z.enum(["TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"]),
      enabled: optional(dword),
      disabledByDefault: optional(dword),
    }),
  ),
  /** `Started`, `Stopped`, ... as the management API says it. */
  sites: list(z.object({ name: z.string(), state: z.string() })),
  /** Who listens on 443, 8443 and the ports of https bindings. `address`: `0.0.0.0`, `::` or one address. */
  listeners: list(z.object({ address: z.string(), port: z.int().min(1).max(65_535), process: optional(z.string()) })),
  /** What could not be collected, and why. */
  problems: list(z.object({ part: z.enum(EVIDENCE_FILE_PARTS), why: z.string() })),
});

/** An evidence file of version 1, checked. */
export type EvidenceFile = z.infer<typeof evidenceFileSchema>;
