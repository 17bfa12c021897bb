import type { Clock, HostName } from "../base/index.ts";
import type { Observation, ProbeKind, RequestObservation } from "../doctor/index.ts";
import { clientForm, UNKNOWN_NAME } from "./client-kinds.ts";
import type { LookJob, LookTarget } from "./look-job.ts";
import type { ProbeOptions } from "./open-tls.ts";
import { OutcomeTable } from "./outcome-table.ts";
import { probeTls } from "./probe-tls.ts";
import { requestOnce } from "./request-once.ts";
import { SeenCertificates } from "./seen-certificates.ts";
import { systemRoots } from "./trusted-roots.ts";

/** More than any farm has; their number bounds what a hostile server can make us keep. */
const MAX_CERTIFICATES = 100_000;

const MAX_HEADER_CHARACTERS = 16 * 1024 * 1024;
const TELLING_HEADERS: ReadonlySet<string> = new Set(["server", "location", "via", "date"]);

type Extra = Pick<ProbeOptions, "session" | "onSession" | "proxyHeader">;

interface Answered {
  readonly observation: Observation;
  readonly request: RequestObservation;
  readonly late: boolean;
}

/** Dials as the kinds of clients do, all with the same roots; equal outcomes are the same object. */
export class Dialler {
  readonly #job: LookJob;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #ca: readonly string[];
  readonly #certificates = new SeenCertificates(MAX_CERTIFICATES);
  readonly #outcomes = new OutcomeTable();
  #headersLeft = MAX_HEADER_CHARACTERS;

  constructor(job: LookJob, { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal }) {
    this.#job = job;
    this.#clock = clock;
    this.#signal = signal;
    this.#ca = job.ca ?? systemRoots().ca;
  }

  /** One handshake of a kind. @throws CANCELLED when the signal aborts */
  async probe(kind: ProbeKind, target: LookTarget, host: HostName | undefined, extra: Extra = {}): Promise<Observation> {
    return this.#kept(await probeTls({ ...this.#options(kind, target, host), ...extra }));
  }

  /** One handshake that offers HTTP/1.1 alone, and a request on it; `late` when no answer came in time. @throws CANCELLED when the signal aborts */
  async request(target: LookTarget, host: HostName): Promise<Answered> {
    const { observation, request } = await requestOnce({ ...this.#options("http11", target, host), ...this.#job.request });
    const late = request.status === undefined && request.tookMs >= this.#job.timeoutMs;
    return { observation: this.#kept(observation), request: this.#bounded(request), late };
  }

  /** Beyond so many headers in all, only those that tell one server from another are kept. */
  #bounded(request: RequestObservation): RequestObservation {
    const entries = Object.entries(request.headers);
    if (this.#headersLeft <= 0) return { ...request, headers: Object.fromEntries(entries.filter(([name]) => TELLING_HEADERS.has(name))) };
    this.#headersLeft -= entries.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
    return request;
  }

  #kept(observation: Observation): Observation {
    return { ...observation, outcome: this.#outcomes.keep(observation.outcome) };
  }

  #options(kind: ProbeKind, target: LookTarget, host: HostName | undefined): ProbeOptions {
    const name = kind === "no-sni" ? undefined : kind === "unknown-name" ? UNKNOWN_NAME : host;
    return {
      target: target.endpoint,
      ...(name === undefined ? {} : { host: name }),
      ...(kind === "trailing-dot" && name !== undefined ? { serverName: `${name}.` } : {}),
      ...clientForm(kind),
      timeoutMs: this.#job.timeoutMs,
      verify: true,
      ca: this.#ca,
      staple: true,
      firstOctets: true,
      certificates: this.#certificates,
      clock: this.#clock,
      signal: this.#signal,
    };
  }
}
