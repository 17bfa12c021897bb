import type { HostName } from "../../base/index.ts";
import type { Cell, ProbeKind } from "../examination.ts";
import { namesCover } from "../names-cover.ts";
import type { ProbeOutcome } from "../observation.ts";
import { shorten } from "../shorten.ts";

/** A handshake that ended well. */
export type Served = Extract<ProbeOutcome, { kind: "served" }>;

/** What a kind of probe came to on a cell, when it was sent. */
export const outcomeOf = (cell: Cell, kind: ProbeKind = "sni"): ProbeOutcome | undefined => cell.probes[kind]?.outcome;

/** The same, when it was served. */
export function servedOf(cell: Cell, kind: ProbeKind = "sni"): Served | undefined {
  const outcome = outcomeOf(cell, kind);
  return outcome?.kind === "served" ? outcome : undefined;
}

/** Whether a certificate is for a host, whatever else is wrong with it. */
export function covers({ verified, dnsNames }: Served, host: HostName): boolean {
  if (verified === true) return true;
  if (verified === "ERR_TLS_CERT_ALTNAME_INVALID") return false;
  return namesCover(dnsNames, host);
}

/** `CN=shop.example.com (1A2B3C4D)`. */
export const certificateText = ({ subject, thumbprint }: Served): string => `${shorten(subject)} (${thumbprint.slice(0, 8)})`;
