import { formatEndpoint } from "../base/index.ts";
import type { Cell, Gap, Observation, ProbeKind } from "../doctor/index.ts";
import type { LookJob } from "./look-job.ts";
import type { GivenUp } from "./run-job.ts";
import type { SeenCell } from "./work-cell.ts";

/** Puts together what the parts of a look saw: cells in the plan's order, and what is missing. */
export class Assembly {
  readonly #job: LookJob;
  readonly #cells: (SeenCell | undefined)[];
  readonly #endpoints: Partial<Record<ProbeKind, Observation>>[];

  constructor(job: LookJob) {
    this.#job = job;
    this.#cells = Array.from({ length: job.targets.length * job.hosts.length });
    this.#endpoints = job.targets.map(() => ({}));
  }

  add(cells: readonly SeenCell[]): void {
    for (const cell of cells) this.#cells[cell.target * this.#job.hosts.length + cell.host] = cell;
  }

  addEndpoint(target: number, kind: ProbeKind, observation: Observation): void {
    const ofTarget = this.#endpoints[target];
    if (ofTarget !== undefined) ofTarget[kind] = observation;
  }

  /** What does not depend on a host stands in each cell of its endpoint, as the same object. */
  cells(): readonly Cell[] {
    const { targets, hosts } = this.#job;
    const cells: Cell[] = [];
    for (const seen of this.#cells) {
      const [target, host] = [targets[seen?.target ?? -1], hosts[seen?.host ?? -1]];
      if (seen === undefined || target === undefined || host === undefined) continue;
      const { samples, sessionFrom, request } = seen;
      cells.push({
        node: target.node,
        endpoint: target.endpoint,
        host: host.name,
        probes: { ...seen.probes, ...this.#endpoints[seen.target] },
        ...(samples === undefined ? {} : { samples }),
        ...(sessionFrom === undefined ? {} : { sessionFrom }),
        ...(request === undefined ? {} : { request }),
      });
    }
    return cells;
  }

  /** What was not tried at endpoints that kept silent, whatever part gave them up. */
  silences(givenUp: readonly GivenUp[]): readonly Gap[] {
    return this.#job.targets.flatMap(({ node, endpoint }, target) => {
      const parts = givenUp.filter((one) => one.target === target);
      const skipped = parts.reduce((sum, one) => sum + one.skipped, 0);
      const requests = parts.reduce((sum, one) => sum + one.skippedRequests, 0);
      const where = formatEndpoint(endpoint);
      return [
        ...(skipped === 0
          ? []
          : [`${where} kept silent time after time: ${counted(skipped, "more host name was", "more host names were")} not dialled there`]),
        ...(requests === 0 ? [] : [`${where} left requests without an answer: ${counted(requests, "more was", "more were")} not sent`]),
      ].map((why) => ({ node, what: "probes" as const, why }));
    });
  }
}

const counted = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`;
