import type { Cell, Examination } from "./examination.ts";
import type { Symptom, SymptomKind } from "./finding.ts";
import type { ProbeOutcome } from "./observation.ts";
import { shorten } from "./shorten.ts";

type Served = Extract<ProbeOutcome, { kind: "served" }>;

/** OpenSSL's codes of a certificate that is not valid now. */
const VALIDITY = new Set(["CERT_HAS_EXPIRED", "CERT_NOT_YET_VALID"]);

/** Cells that are not as they should be, at most one symptom each: the worst. */
export function findSymptoms(examination: Examination): readonly Symptom[] {
  const usual = usualLeaves(examination);
  return examination.cells.flatMap((cell) => {
    const found = symptomOf(cell, usual.get(cell.host));
    return found === undefined ? [] : [{ node: cell.node, host: cell.host, endpoint: cell.endpoint, ...found }];
  });
}

type Found = { readonly kind: SymptomKind; readonly text: string };

function symptomOf(cell: Cell, usual: Served | undefined): Found | undefined {
  const outcome = cell.probes.sni?.outcome;
  if (outcome === undefined) return undefined;
  if (outcome.kind !== "served")
    return { kind: isNoConnection(outcome) ? "no-connection" : "no-handshake", text: describeOutcome(outcome) };
  return certificateSymptom(outcome, usual) ?? requestSymptom(cell);
}

const isNoConnection = (outcome: ProbeOutcome): boolean =>
  outcome.kind === "refused" || (outcome.kind === "timeout" && outcome.during === "connect");

function certificateSymptom(served: Served, usual: Served | undefined): Found | undefined {
  const { verified } = served;
  if (verified === "ERR_TLS_CERT_ALTNAME_INVALID") return { kind: "wrong-name", text: `serves ${shorten(served.subject)} instead` };
  if (typeof verified === "string" && VALIDITY.has(verified)) return { kind: "validity", text: `${shorten(served.subject)}: ${verified}` };
  if (verified !== true && verified !== "NOT_CHECKED") return { kind: "untrusted", text: `${shorten(served.subject)}: ${verified}` };
  if (usual === undefined || usual.sha256 === served.sha256) return undefined;
  return { kind: "differs", text: `serves ${short(served)}, other nodes ${short(usual)}` };
}

const short = (served: Served): string =>
  `${served.thumbprint.slice(0, 8)} valid until ${new Date(served.notAfter).toISOString().slice(0, 10)}`;

function requestSymptom({ request }: Cell): Found | undefined {
  if (request === undefined) return undefined;
  if (request.status === undefined) return { kind: "request-failed", text: shorten(request.problem ?? "no answer to a request") };
  return request.status >= 500 ? { kind: "request-failed", text: `answers ${request.status}` } : undefined;
}

/** What most nodes serve for a host, of certificates with which nothing else is wrong; among equals the one that was issued last. */
function usualLeaves({ cells, nodes }: Examination): ReadonlyMap<string, Served> {
  const balancers = new Set(nodes.filter(({ role }) => role === "balancer").map(({ name }) => name));
  const counts = new Map<string, Map<string, { served: Served; count: number }>>();
  for (const { node, host, probes } of cells) {
    const outcome = probes.sni?.outcome;
    if (outcome?.kind !== "served" || balancers.has(node) || certificateSymptom(outcome, undefined) !== undefined) continue;
    const ofHost = counts.get(host) ?? new Map<string, { served: Served; count: number }>();
    counts.set(host, ofHost);
    const entry = ofHost.get(outcome.sha256);
    if (entry === undefined) ofHost.set(outcome.sha256, { served: outcome, count: 1 });
    else entry.count += 1;
  }
  const usual = new Map<string, Served>();
  for (const [host, leaves] of counts) {
    const best = [...leaves.values()].toSorted(
      (a, b) => b.count - a.count || b.served.notBefore - a.served.notBefore || (a.served.sha256 < b.served.sha256 ? -1 : 1),
    )[0];
    if (best !== undefined) usual.set(host, best.served);
  }
  return usual;
}

/** How a handshake ended, in a few words. Names in it come from the peer. */
export function describeOutcome(outcome: ProbeOutcome): string {
  switch (outcome.kind) {
    case "served":
      return `serves ${shorten(outcome.subject)}`;
    case "refused":
      return "connection refused";
    case "timeout":
      return outcome.during === "connect" ? "no answer to the connection" : "no answer to the ClientHello";
    case "reset":
      return "reset after the ClientHello, without an alert";
    case "closed":
      return "closed after the ClientHello, without an alert";
    case "alert":
      return `alert ${shorten(outcome.alert)}`;
    case "error":
      return outcome.speaks === "http" ? "answers with plain HTTP" : shorten(outcome.message);
  }
}
