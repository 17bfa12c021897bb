import { FarmError, instant, type Instant } from "../base/index.ts";
import { isStatement, readStatement, signAs, trustOf, verifyStatement, type Signing } from "../identity/index.ts";
import type { Entry } from "../store/index.ts";
import { decodeReport, encodeReport } from "./report-record.ts";
import { corrupt } from "./state-json.ts";
import type { NodeReport } from "./types.ts";

const EVERYBODY = "farm";

/** A report as it is stored: signed by the node in a farm with identities. */
export function writeReport(signing: Signing | undefined, report: NodeReport): Uint8Array {
  const body = encodeReport(report);
  if (signing === undefined) return body;
  return signAs(signing, { kind: "report", to: EVERYBODY, id: report.node, issuedAt: report.at, notAfter: undefined, body });
}

/** A report that is believed. */
export interface BelievedReport {
  readonly report: NodeReport;
  /** By the node's clock, and the certificate that signed it; both absent without identities. */
  readonly issuedAt?: Instant;
  readonly serial?: string;
}

/**
 * A report as far as it is believed: in a farm with identities only what the node itself has signed, so that no other node and nobody who can
 * merely write into the store speaks for it. `after` = when the newest one that was seen was made: an older one was put back by somebody.
 * @throws REPORT_REFUSED, STORE_CORRUPT
 */
export function readReport(signing: Signing | undefined, entry: Entry, after: Instant = instant(0)): BelievedReport {
  const { key, value } = entry;
  if (signing === undefined) return { report: decodeReport(isStatement(value) ? { ...entry, value: bodyOf(entry) } : entry) };
  const node = key.slice(key.indexOf("/") + 1);
  const seen = (id: string): boolean => id !== node;
  const read = verifyStatement(value, { kind: "report", to: EVERYBODY, role: "node", signer: node, trust: trustOf(signing), seen });
  if (read.kind === "refused") throw refused(node, read.problem);
  const { issuedAt, body } = read.statement;
  if (issuedAt < after) throw refused(node, `it is of ${new Date(issuedAt).toISOString()}: a newer one was seen before`);
  return { report: decodeReport({ ...entry, value: body }), issuedAt, serial: read.signer.serial };
}

function bodyOf({ key, value }: Entry): Uint8Array {
  const body = readStatement(value)?.statement.body;
  if (body === undefined) throw corrupt(key, "it is no whole statement");
  return body;
}

const refused = (node: string, problem: string): FarmError =>
  new FarmError("REPORT_REFUSED", `what is stored as ${node}'s report is not believed: ${problem}`, { facts: { node } });
