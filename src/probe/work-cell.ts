import type { Observation, ProbeKind, RequestObservation } from "../doctor/index.ts";
import type { BaseSight, Level } from "./closer-look.ts";
import type { LookHost, LookTarget } from "./look-job.ts";

/** A cell as a job gives it out; `target` and `host` are numbers of the job's targets and of the plan's hosts. */
export interface SeenCell {
  readonly target: number;
  readonly host: number;
  readonly probes: Readonly<Partial<Record<ProbeKind, Observation>>>;
  readonly samples?: readonly Observation[];
  readonly sessionFrom?: string;
  readonly request?: RequestObservation;
}

/** An endpoint, and how it has answered so far. */
export interface WorkTarget extends LookTarget {
  readonly number: number;
  /** Timeouts in a row. */
  silent: number;
  silentRequests: number;
  skipped: number;
  skippedRequests: number;
  sampled: boolean;
}

/** An endpoint that was not dialled yet. */
export const UNTRIED = { silent: 0, silentRequests: 0, skipped: 0, skippedRequests: 0, sampled: false };

/** A cell that is being looked at. */
export interface WorkCell {
  readonly target: WorkTarget;
  readonly host: LookHost;
  readonly probes: Partial<Record<ProbeKind, Observation>>;
  samples?: Observation[];
  sessionFrom?: string;
  request?: RequestObservation;
  session?: Buffer;
}

/** A host with its cells on all endpoints. */
export interface WorkHost {
  readonly cells: readonly WorkCell[];
  open: number;
  level: Level;
}

/** A cell whose base handshake is done. */
export interface WorkSight extends BaseSight {
  readonly target: WorkTarget;
  readonly cell: WorkCell;
}

/** The cells of a host that were dialled. */
export const sightsOf = ({ cells }: WorkHost): readonly WorkSight[] =>
  cells.flatMap((cell) => (cell.probes.sni === undefined ? [] : [{ target: cell.target, cell, sni: cell.probes.sni }]));

/** A cell as it is given out. */
export const seenCell = ({ target, host, probes, samples, sessionFrom, request }: WorkCell): SeenCell => ({
  target: target.number,
  host: host.number,
  probes,
  ...(samples === undefined ? {} : { samples }),
  ...(sessionFrom === undefined ? {} : { sessionFrom }),
  ...(request === undefined ? {} : { request }),
});
