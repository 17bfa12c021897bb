import type { EventEvidence, NodeEvidence } from "../evidence.ts";
import type { Proof } from "../finding.ts";
import { shorten } from "../shorten.ts";
import { timeText } from "./time-text.ts";

/** HttpEvent: rows deleted and created, and a row whose certificate could not be used. Schannel: a key that could not be opened, and others. */
export const EVENTS = {
  rowUnusable: { log: "HttpEvent", id: 15021 },
  rowsDeleted: { log: "HttpEvent", id: 15300 },
  keyNotAccessible: { log: "Schannel", id: 36870 },
  keyMissing: { log: "Schannel", id: 36869 },
  alertGenerated: { log: "Schannel", id: 36888 },
  configurationMalformed: { log: "IIS-W3SVC-WP", id: 2297 },
} as const;

/** Events of a kind, newest first. */
export function eventsOf(
  { events = [] }: NodeEvidence,
  { log, id }: { readonly log: string; readonly id: number },
): readonly EventEvidence[] {
  return events.filter((event) => event.id === id && event.log.toLowerCase().includes(log.toLowerCase())).toSorted((a, b) => b.at - a.at);
}

/** The configuration holds data of old that makes IIS delete rows when it starts, and it did. */
export const rowsWereDeleted = (evidence: NodeEvidence): boolean =>
  evidence.configuration?.legacyBindingData === true && eventsOf(evidence, EVENTS.rowsDeleted).length > 0;

/** That Windows says it deleted rows, when it does. */
export function deletedProof(evidence: NodeEvidence): readonly Proof[] {
  const [last] = eventsOf(evidence, EVENTS.rowsDeleted);
  return last === undefined
    ? []
    : [{ text: `rows were deleted at ${timeText(last.at)} (event ${last.id})`, source: `${last.log} event log` }];
}

/** The newest event of a kind, as a proof. */
export function eventProof(evidence: NodeEvidence, kind: { readonly log: string; readonly id: number }): readonly Proof[] {
  const [last] = eventsOf(evidence, kind);
  return last === undefined
    ? []
    : [{ text: `event ${last.id} at ${timeText(last.at)}: ${shorten(last.message)}`, source: `${last.log} event log` }];
}
