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

function lookup(evidence: NodeEvidence): (host: HostName) => CertificateOrigin {
  const named = new Map([...fromBindings(evidence), ...fromRows(evidence)]);
  const rest = restOf(evidence);
  return (host) => {
    const wildcard = wildcardOf(host);
    const own = host as unknown as HostPattern; // a HostName is a HostPattern
    return named.get(own) ?? (wildcard === undefined ? undefined : named.get(wildcard)) ?? rest;
  };
}

type Named = readonly (readonly [HostPattern, CertificateOrigin])[];

/** A host with several bindings takes the central certificate when one of them asks for it. */
function fromBindings({ bindings }: NodeEvidence): Named {
  const https = bindings?.bindings.filter(({ protocol }) => protocol === "https") ?? [];
  return https
    .toSorted((a, b) => Number(a.central) - Number(b.central))
    .flatMap(({ host, central }) => (host === undefined ? [] : [[host, central ? CENTRAL : { kind: "named" as const }] as const]));
}

function fromRows({ table }: NodeEvidence): Named {
  return (table?.rows ?? []).flatMap(({ key, file }): Named => {
    if (key.kind === "scoped-central") return [[key.host, CENTRAL]];
    return key.kind === "host" ? [[key.host, { kind: "named", ...(file === undefined ? {} : { file }) }]] : [];
  });
}

/** What holds for hosts that nothing mentions. */
function restOf({ table, bindings }: NodeEvidence): CertificateOrigin {
  if (bindings !== undefined) return { kind: "none" };
  if (table === undefined) return { kind: "unknown" };
  return table.rows.some(({ key }) => key.kind === "central") ? CENTRAL : { kind: "none" };
}
