import type { HostName } from "../../base/index.ts";
import type { Cell } from "../examination.ts";
import type { ProbeOutcome } from "../observation.ts";
import { covers, outcomeOf } from "./served.ts";

/** Whether a client would go on after this handshake. */
export const isGood = (outcome: ProbeOutcome, host: HostName): boolean =>
  outcome.kind === "served" && covers(outcome, host) && (outcome.verified === true || outcome.verified === "NOT_CHECKED");

/** How the connections for a cell's host ended that any server should serve alike: the base probe, the one of the request, the samples. */
export function connectionsOf(cell: Cell): readonly ProbeOutcome[] {
  const http11 = outcomeOf(cell, "http11");
  const alike = [outcomeOf(cell), isRefusedProtocol(http11) ? undefined : http11, ...(cell.samples ?? []).map(({ outcome }) => outcome)];
  return alike.filter((outcome) => outcome !== undefined);
}

/** Some of them end well and others do not: whoever answers is not always the same, or not always well. */
export function isMixed(cell: Cell): boolean {
  const connections = connectionsOf(cell);
  const good = connections.filter((outcome) => isGood(outcome, cell.host)).length;
  return good > 0 && good < connections.length;
}

/** A server of HTTP/2 alone is not ill. */
const isRefusedProtocol = (outcome: ProbeOutcome | undefined): boolean =>
  outcome?.kind === "alert" && outcome.alert === "no_application_protocol";
