import { wildcardOf, type HostName, type HostPattern } from "../../base/index.ts";
import type { NodeEvidence } from "../evidence.ts";
import type { ExaminedNode } from "../examination.ts";

/** Where a node is told to take the certificate of a host from. */
export type CertificateOrigin =
  | { readonly kind: "central" }
  /** A row or binding for the host names a certificate; `file` when that is one of the central certificates. */
  | { readonly kind: "named"; readonly file?: string }
  /** Nothing of what was collected mentions the host. */
  | { readonly kind: "none" }
  /** Neither bindings nor the table were collected. */
  | { readonly kind: "unknown" };

const CENTRAL = { kind: "central" } as const;

const known = new WeakMap<NodeEvidence, (host: HostName) => CertificateOrigin>();

/** Where this node takes the host's certificate from: a host row before a binding, the table's central row last. */
export function certificateOrigin({ evidence }: ExaminedNode, host: HostName): CertificateOrigin {
  if (evidence === undefined) return { kind: "unknown" };
  const look = known.get(evidence) ?? lookup(evidence);
  known.set(evidence, look);
  return look(host);
}

function lookup({ table, bindings }: NodeEvidence): (host: HostName) => CertificateOrigin {
  const named = new Map<HostPattern, CertificateOrigin>();
  for (const { protocol, host, central } of bindings?.bindings ?? []) {
    if (protocol === "https" && host !== undefined && named.get(host)?.kind !== "central")
      named.set(host, central ? CENTRAL : { kind: "named" });
  }
  for (const { key, file } of table?.rows ?? []) {
    if (key.kind === "host") named.set(key.host, { kind: "named", ...(file === undefined ? {} : { file }) });
    if (key.kind === "scoped-central") named.set(key.host, CENTRAL);
  }
  const hasCentralRow = table?.rows.some(({ key }) => key.kind === "central") === true;
  const rest: CertificateOrigin =
    bindings === undefined && hasCentralRow ? CENTRAL : { kind: bindings === undefined && table === undefined ? "unknown" : "none" };
  return (host) => {
    const wildcard = wildcardOf(host);
    const own = host as unknown as HostPattern; // a HostName is a HostPattern
    return named.get(own) ?? (wildcard === undefined ? undefined : named.get(wildcard)) ?? rest;
  };
}
