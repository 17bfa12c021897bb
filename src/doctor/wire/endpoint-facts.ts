import type { Cell, ProbeKind } from "../examination.ts";
import type { ProbeOutcome } from "../observation.ts";
import { outcomeOf, servedOf } from "./served.ts";

/** All cells of one endpoint of one node, taken together: a cause of the whole node shows only there. */
export interface EndpointFacts {
  readonly cells: readonly Cell[];
  /** A handshake of any kind was served for some host, other than with a PROXY header. */
  readonly serves: boolean;
  /** A connection came about for some host. */
  readonly connects: boolean;
  /** SHA-256 of the leaves served for hosts that were asked for. */
  readonly leaves: ReadonlySet<string>;
  /** SHA-256 of what it serves without SNI or for an unknown name. */
  readonly defaults: ReadonlySet<string>;
  /** Kinds of probes that were served on a cell whose base probe failed. */
  readonly rescues: ReadonlySet<ProbeKind>;
}

/** Reads the cells of one endpoint. */
export function endpointFacts(cells: readonly Cell[]): EndpointFacts {
  const sni = cells.flatMap((cell) => outcomeOf(cell) ?? []);
  return {
    cells,
    serves: cells.some((cell) => servedKinds(cell).some((kind) => kind !== "proxy-header")),
    connects: sni.some(connected),
    leaves: new Set(sni.flatMap((outcome) => (outcome.kind === "served" ? [outcome.sha256] : []))),
    defaults: new Set(
      cells.flatMap((cell) => [servedOf(cell, "no-sni"), servedOf(cell, "unknown-name")].flatMap((served) => served?.sha256 ?? [])),
    ),
    rescues: new Set(cells.filter((cell) => servedOf(cell) === undefined).flatMap(servedKinds)),
  };
}

// The keys of a cell's probes are ProbeKinds.
const servedKinds = (cell: Cell): readonly ProbeKind[] =>
  (Object.keys(cell.probes) as ProbeKind[]).filter((kind) => servedOf(cell, kind) !== undefined);

/** Whether a TCP connection came about. */
export const connected = (outcome: ProbeOutcome): boolean =>
  outcome.kind !== "refused" && !(outcome.kind === "timeout" && outcome.during === "connect");
