import { instant } from "../base/index.ts";
import type { Observation, ProbeKind, ProbeOutcome, RequestObservation } from "../doctor/index.ts";
import type { LookHost, LookTarget } from "./look-job.ts";
import type { GivenUp } from "./run-job.ts";
import type { SeenCell } from "./work-cell.ts";
import type { SeenCertificates } from "./seen-certificates.ts";

/** at, tookMs, number of the outcome, attempts, version of the PROXY header; 0 = none. */
type WireObservation = readonly [at: number, tookMs: number, outcome: number, attempts: number, proxyHeader: number];

interface WireCell {
  readonly target: number;
  readonly host: number;
  readonly probes: readonly (readonly [ProbeKind, WireObservation])[];
  readonly samples?: readonly WireObservation[];
  readonly sessionFrom?: string;
  readonly request?: RequestObservation;
}

/** What a thread posts while it works: each outcome once, in the order of their numbers. */
export interface WireReport {
  readonly outcomes: readonly ProbeOutcome[];
  readonly cells: readonly WireCell[];
  readonly endpoints: readonly (readonly [target: number, kind: ProbeKind, seen: Observation])[];
  readonly done: number;
  readonly total: number;
}

/** What a thread posts: reports, then how it ended. */
export type WireMessage =
  | { readonly kind: "report"; readonly report: WireReport }
  | { readonly kind: "end"; readonly givenUp: readonly GivenUp[] }
  | { readonly kind: "failed"; readonly message: string };

/** Gathers what is to be posted next. */
export class WirePacker {
  readonly #numbers = new Map<ProbeOutcome, number>();
  #outcomes: ProbeOutcome[] = [];
  #cells: WireCell[] = [];
  #endpoints: WireReport["endpoints"][number][] = [];

  add({ probes, samples, ...cell }: SeenCell): void {
    // The keys of a cell's probes are ProbeKinds.
    const seen = Object.entries(probes) as [ProbeKind, Observation][];
    this.#cells.push({
      ...cell,
      probes: seen.map(([kind, observation]) => [kind, this.#pack(observation)] as const),
      ...(samples === undefined ? {} : { samples: samples.map((sample) => this.#pack(sample)) }),
    });
  }

  addEndpoint(target: number, kind: ProbeKind, seen: Observation): void {
    this.#endpoints.push([target, kind, seen]);
  }

  /** What was gathered since the last time. */
  take(done: number, total: number): WireReport {
    const report = { outcomes: this.#outcomes, cells: this.#cells, endpoints: this.#endpoints, done, total };
    this.#outcomes = [];
    this.#cells = [];
    this.#endpoints = [];
    return report;
  }

  #pack({ at, tookMs, outcome, attempts, proxyHeader }: Observation): WireObservation {
    let number = this.#numbers.get(outcome);
    if (number === undefined) {
      number = this.#numbers.size;
      this.#numbers.set(outcome, number);
      this.#outcomes.push(outcome);
    }
    return [at, tookMs, number, attempts ?? 0, proxyHeader ?? 0];
  }
}

/** What numbers in reports of one thread stand for. */
export interface Numbering {
  readonly targets: readonly LookTarget[];
  /** All hosts of the plan, by number. */
  readonly hosts: readonly LookHost[];
  readonly certificates: SeenCertificates;
}

/** Reads what one thread posts. */
export class WireReader {
  readonly #numbering: Numbering;
  readonly #outcomes: ProbeOutcome[] = [];

  constructor(numbering: Numbering) {
    this.#numbering = numbering;
  }

  read(report: WireReport): readonly SeenCell[] {
    for (const outcome of report.outcomes) this.#outcomes.push(this.#own(outcome));
    return report.cells.map(({ probes, samples, ...cell }) => {
      const unpack = (seen: WireObservation): Observation => this.#unpack(seen, cell);
      return {
        ...cell,
        probes: Object.fromEntries(probes.map(([kind, seen]) => [kind, unpack(seen)])),
        ...(samples === undefined ? {} : { samples: samples.map(unpack) }),
      };
    });
  }

  /** Certificates that another thread has seen too are one object, and so are their texts. */
  #own(outcome: ProbeOutcome): ProbeOutcome {
    if (outcome.kind !== "served" || outcome.chain === undefined) return outcome;
    const chain = outcome.chain.map((certificate) => this.#numbering.certificates.keep(certificate));
    const [leaf] = chain;
    if (leaf === undefined) return outcome;
    const { thumbprint, sha256, subject, issuer, dnsNames, notBefore, notAfter } = leaf;
    return { ...outcome, thumbprint, sha256, subject, issuer, dnsNames, notBefore, notAfter, chain };
  }

  #unpack(
    [at, tookMs, number, attempts, proxyHeader]: WireObservation,
    cell: { readonly target: number; readonly host: number },
  ): Observation {
    const { targets, hosts } = this.#numbering;
    const [target, host, outcome] = [targets[cell.target], hosts[cell.host], this.#outcomes[number]];
    if (target === undefined || host === undefined || outcome === undefined) throw new Error("a thread reported what was not asked of it");
    return {
      target: target.endpoint,
      host: host.name,
      at: instant(at),
      tookMs,
      outcome,
      ...(attempts === 0 ? {} : { attempts }),
      ...(proxyHeader === 1 || proxyHeader === 2 ? { proxyHeader } : {}),
    };
  }
}
