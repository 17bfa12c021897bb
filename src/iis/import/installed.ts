import type { EvidenceRow, EvidenceRowKey, InstalledCertificate, NodeEvidence } from "../../doctor/index.ts";
import type { WrittenBinding } from "./write-yaml.ts";

/** What servers have installed: rows and the certificates behind them, the first server's before the next one's. */
export interface Installed {
  /** The row by name. */
  readonly hostRow: (place: WrittenBinding) => EvidenceRow | undefined;
  /** The row of an address, or of all addresses. */
  readonly placeRow: (place: WrittenBinding) => EvidenceRow | undefined;
  readonly certificate: (row: EvidenceRow | undefined) => InstalledCertificate | undefined;
}

/** Indexes the evidence once. */
export function indexInstalled(evidence: readonly NodeEvidence[]): Installed {
  const rows = new Map<string, EvidenceRow>();
  const certificates = new Map<string, InstalledCertificate>();
  for (const { table, certificates: installed = [] } of evidence) {
    for (const row of table?.rows ?? []) {
      const key = keyOf(row.key);
      if (!rows.has(key)) rows.set(key, row);
    }
    for (const certificate of installed)
      if (!certificates.has(certificate.thumbprint)) certificates.set(certificate.thumbprint, certificate);
  }
  return {
    hostRow: ({ host = "", port }) => rows.get(`host ${host} ${port}`),
    placeRow: ({ address, port }) => rows.get(`ip ${address} ${port}`),
    certificate: (row) => (row?.thumbprint === undefined ? undefined : certificates.get(row.thumbprint)),
  };
}

function keyOf(key: EvidenceRowKey): string {
  if (key.kind === "ip") return `ip ${key.address} ${key.port}`;
  if (key.kind === "any") return `ip * ${key.port}`;
  return `${key.kind} ${"host" in key ? key.host : ""} ${key.port}`;
}
