import type { Cell, ProbeKind } from "../examination.ts";
import type { ProbeOutcome } from "../observation.ts";
import { isMixed } from "./connections.ts";
import { covers, outcomeOf, servedOf } from "./served.ts";

/** All cells of one endpoint of one node, taken together: a cause of the whole node shows only there. */
export interface EndpointFacts {
  readonly cells: readonly Cell[];
  /** A handshake of any kind was served for some host, other than with a PROXY header. */
  readonly serves: boolean;
  /** A connection came about for some host. */
  readonly connects: boolean;
  /** For some host connections end well at one time and not at another. */
  readonly mixed: boolean;
  /** SHA-256 of the leaves served for hosts that were asked for; those that are right for some host. */
  readonly leaves: ReadonlySet<string>;
  readonly rightLeaves: ReadonlySet<string>;
  /** How many hosts get a certificate that is for them, and how many another one. */
  readonly right: number;
  readonly wrong: number;
  /** SHA-256 of what it serves without SNI or for an unknown name. */
  readonly defaults: ReadonlySet<string>;
  /** Kinds of probes that were served on a cell whose base probe failed, or that the node says it would serve. */
  readonly rescues: ReadonlySet<ProbeKind>;
}

/** Reads the cells of one endpoint. `headed`: the node says that it expects a PROXY header there. */
export function endpointFacts(cells: readonly Cell[], headed: boolean): EndpointFacts {
  const sni = cells.flatMap((cell) => outcomeOf(cell) ?? []);
  const answers = cells.flatMap((cell) => {
    const served = servedOf(cell);
    return served === undefined ? [] : [{ sha256: served.sha256, right: covers(served, cell.host) }];
  });
  const right = answers.filter((answer) => answer.right);
  return {
    cells,
    serves: cells.some((cell) => servedKinds(cell).some((kind) => kind !== "proxy-header")),
    connects: sni.some(connected),
    mixed: cells.some(isMixed),
    leaves: new Set(answers.map(({ sha256 }) => sha256)),
    rightLeaves: new Set(right.map(({ sha256 }) => sha256)),
    right: right.length,
    wrong: answers.length - right.length,
    defaults: new Set(
      cells.flatMap((cell) => [servedOf(cell, "no-sni"), servedOf(cell, "unknown-name")].flatMap((served) => served?.sha256 ?? [])),
    ),
    rescues: new Set([
      ...cells.filter((cell) => servedOf(cell) === undefined).flatMap(servedKinds),
      ...(headed ? (["proxy-header"] as const) : []),
    ]),
  };
}

// The keys of a cell's probes are ProbeKinds.
const servedKinds = (cell: Cell): readonly ProbeKind[] =>
  (Object.keys(cell.probes) as ProbeKind[]).filter((kind) => servedOf(cell, kind) !== undefined);

/** Whether a TCP connection came about. */
export const connected = (outcome: ProbeOutcome): boolean =>
  outcome.kind !== "refused" && !(outcome.kind === "timeout" && outcome.during === "connect");
