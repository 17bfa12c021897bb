import { parseHostPattern, parseIpAddress, requireEndpoint, type HostPattern, type Instant, type IpAddress } from "../../base/index.ts";
import type { CertificateFacts, FileFacts, FileReading, FileStatus } from "../../pki/index.ts";
import type {
  CentralEvidence,
  CentralFile,
  EventEvidence,
  EvidenceBinding,
  EvidenceRow,
  EvidenceRowKey,
  InstalledCertificate,
  ListenerEvidence,
  NodeEvidence,
  TableEvidence,
} from "../evidence.ts";
import { at, digestOf, NOW } from "./examination.ts";

/** The application ids that rows of these tests carry. */
export const APPS = {
  iis: "{4dc3e181-e14b-4a21-b022-59fc669b0914}",
  certfarm: "{c7a3d0e2-5b94-4f61-9d27-6e10f84ab35c}",
  adfs: "{5d89a20c-beab-4389-9447-324788eb944a}",
} as const;

/** The SHA-1 thumbprint of the certificate of this label: what `served(label)` shows and what a row names. */
export const thumbprintOf = (label: string): string => digestOf(label).slice(0, 40);

export const pattern = (text: string): HostPattern => {
  const found = parseHostPattern(text);
  if (found === undefined) throw new Error(`${text} is not a host pattern`);
  return found;
};

export const ip = (text: string): IpAddress => {
  const found = parseIpAddress(text);
  if (found === undefined) throw new Error(`${text} is not an IP address`);
  return found;
};

/** A row of IIS on port 443, or what `changes` say. */
const row = (key: EvidenceRowKey, label: string | undefined, changes: Partial<EvidenceRow>): EvidenceRow => ({
  key,
  ...(label === undefined ? {} : { thumbprint: thumbprintOf(label), storeName: "My" }),
  appId: APPS.iis,
  options: {},
  ...changes,
});

export const centralRow = (port = 443, changes: Partial<EvidenceRow> = {}): EvidenceRow =>
  row({ kind: "central", port }, undefined, changes);

/** `ipRow("10.0.0.2:443", "old.example.com")`: the certificate of that label answers there. */
export const ipRow = (endpoint: string, label: string, changes: Partial<EvidenceRow> = {}): EvidenceRow =>
  row({ kind: "ip", ...requireEndpoint(endpoint) }, label, changes);

export const hostRow = (host: string, label: string = host, changes: Partial<EvidenceRow> = {}): EvidenceRow =>
  row({ kind: "host", host: pattern(host), port: 443 }, label, changes);

/** `anyRow(4, label)` is 0.0.0.0:443, `anyRow(6, label)` is [::]:443. */
export const anyRow = (family: 4 | 6, label: string, changes: Partial<EvidenceRow> = {}): EvidenceRow =>
  row({ kind: "any", family, port: 443 }, label, changes);

export const table = (...rows: readonly EvidenceRow[]): TableEvidence => ({ source: "netsh http show sslcert", rows, unread: [] });

/** A binding with SNI and central certificates on every address, port 443. */
export const binding = (host: string, changes: Partial<EvidenceBinding> = {}): EvidenceBinding => ({
  site: "Shop",
  protocol: "https",
  address: "*",
  port: 443,
  host: pattern(host),
  sni: true,
  central: true,
  sslFlags: 3,
  ...changes,
});

export const bindings = (...list: readonly EvidenceBinding[]): NonNullable<NodeEvidence["bindings"]> => ({
  source: "applicationHost.config",
  bindings: list,
});

/** What the certificate of a label says; the same certificate as `served(label)` shows. */
export function certificateFacts(label: string, changes: Partial<CertificateFacts> = {}): CertificateFacts {
  return {
    subject: `CN=${label}`,
    issuer: "CN=Example CA",
    dnsNames: [parseHostPattern(label)].filter((name) => name !== undefined),
    ipAddresses: [],
    serial: "01",
    notBefore: at(-30),
    notAfter: at(60),
    keyType: "rsa",
    keyName: "RSA 2048",
    signatureAlgorithm: "sha256WithRSAEncryption",
    thumbprint: thumbprintOf(label),
    sha256: digestOf(label),
    isCa: false,
    selfSigned: false,
    ...changes,
  };
}

/** A PKCS#12 file that can be used. */
export function fileFacts(label: string, changes: Partial<FileFacts> = {}): FileFacts {
  const leaf = certificateFacts(label);
  return {
    format: "pkcs12",
    leaf,
    chain: [leaf],
    chainEnds: "to-intermediate",
    keyMatches: true,
    unusedCertificates: 0,
    unusedKeys: 0,
    protection: ["pbeWithSHA1And3-KeyTripleDES-CBC", "MAC HMAC-SHA1 2000 iterations"],
    refusedBy: [],
    warnings: [],
    ...changes,
  };
}

/** What came of reading a file: `ok` with the facts of the label, or a status with its problem. */
export function fileReading(label: string, status: FileStatus = "ok", changes: Partial<FileReading> = {}): FileReading {
  const readable = status === "ok" || status === "expired" || status === "not-yet-valid" || status === "key-mismatch";
  return {
    status,
    ...(readable ? { facts: fileFacts(label) } : {}),
    ...(status === "ok" ? {} : { problem: `the file is ${status}` }),
    ...changes,
  };
}

/** `www.example.com.pfx` for its own name, readable; `label` names the certificate in it. */
export function centralFile(name: string, changes: Partial<CentralFile> & { readonly label?: string } = {}): CentralFile {
  const { label = name.replace(/^_\./, "*.").replace(/\.[^.]*$/, ""), ...others } = changes;
  return { name, size: 3000, modifiedAt: at(-30), digest: digestOf(label), access: "readable", reading: fileReading(label), ...others };
}

/** A central store on a share that the node reads. */
export const centralStore = (files: readonly CentralFile[], changes: Partial<CentralEvidence> = {}): CentralEvidence => ({
  source: "central certificate settings",
  installed: true,
  enabled: true,
  location: String.raw`\\files\certificates`,
  user: String.raw`EXAMPLE\certificates`,
  hasPassword: true,
  pollingSeconds: 300,
  access: { kind: "readable" },
  files,
  ...changes,
});

/** A certificate in the machine's store `My`. */
export const installed = (label: string, changes: Partial<InstalledCertificate> = {}): InstalledCertificate => ({
  source: "certificate stores",
  store: "My",
  thumbprint: thumbprintOf(label),
  subject: `CN=${label}`,
  issuer: "CN=Example CA",
  dnsNames: [label],
  notBefore: at(-30),
  notAfter: at(60),
  hasKey: true,
  keySpec: 1,
  keyReadable: true,
  chain: { complete: true },
  ...changes,
});

export const event = (log: string, id: number, message = `event ${id}`, when: Instant = at(-0.1)): EventEvidence => ({
  log,
  id,
  at: when,
  message,
});

export const listener = (endpoint: string, changes: Partial<ListenerEvidence> = {}): ListenerEvidence => {
  const parsed = requireEndpoint(endpoint);
  return { endpoint: parsed, bindingPort: parsed.port, protocol: parsed.port === 80 ? "http" : "https", ...changes };
};

const fileOf = (host: string): string => `${host.replace(/^\*\./, "_.")}.pfx`;

/** Everything that an IIS server which serves these hosts from the central store says of itself; `changes` break it. */
export function iisNode(hosts: readonly string[], changes: Partial<NodeEvidence> = {}): NodeEvidence {
  return {
    make: "iis",
    source: "evidence",
    at: NOW,
    system: {
      source: "system",
      name: "Windows Server 2019",
      version: "10.0.17763",
      build: 17763,
      startedAt: at(-20),
      features: ["Web-CertProvider"],
    },
    clock: { source: "system", offsetMs: 40, uncertaintyMs: 500 },
    table: table(centralRow()),
    bindings: bindings(...hosts.map((host) => binding(host))),
    central: centralStore(hosts.map((host) => centralFile(fileOf(host)))),
    configuration: {
      source: "applicationHost.config",
      digest: digestOf("configuration"),
      redirection: { enabled: true, path: String.raw`\\files\configuration` },
      legacyBindingData: false,
    },
    certificates: [],
    events: [],
    protocols: [
      { protocol: "TLS 1.2", enabled: true, source: "Schannel settings" },
      { protocol: "TLS 1.3", enabled: false, source: "Schannel settings" },
    ],
    ...changes,
  };
}

/** Everything that a certfarm node which serves these hosts says of itself; `changes` break it. */
export function certfarmNode(hosts: readonly string[], changes: Partial<NodeEvidence> = {}): NodeEvidence {
  return {
    make: "certfarm",
    source: "report",
    at: at(-2 / 86_400),
    system: {
      source: "report",
      name: "certfarm",
      version: "0.1.0",
      startedAt: at(-3),
      resources: { rssBytes: 90e6, connections: 12, cpuSeconds: 40 },
    },
    clock: { source: "report", offsetMs: 3, uncertaintyMs: 20 },
    table: { source: "table", rows: [centralRow(443, { appId: APPS.certfarm })], unread: [], drift: [], reconcile: "mend" },
    bindings: { source: "farm.yaml", bindings: hosts.map((host) => certfarmBinding(host)) },
    central: { source: "certificates", enabled: true, access: { kind: "readable" }, files: hosts.map((host) => centralFile(fileOf(host))) },
    configuration: { source: "report", revision: 7, digest: digestOf("configuration") },
    refusals: { source: "report", total: 0, byReason: {} },
    content: [{ folder: "shop", digest: digestOf("content") }],
    store: { source: "report", selfTest: { kind: "passed", tookMs: 12 } },
    proof: { proved: hosts.length, failed: 0, pending: 0 },
    ticketKeys: { source: "report", fingerprint: "A1B2C3D4" },
    ...changes,
  };
}

function certfarmBinding(host: string): EvidenceBinding {
  const { sslFlags: _flags, ...others } = binding(host);
  return others;
}
