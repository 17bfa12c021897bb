import { FarmError, type Clock } from "../base/index.ts";
import type { Observation, ProbeKind } from "../doctor/index.ts";
import { CellDials, GIVE_UP_AFTER } from "./cell-dials.ts";
import { closerKinds, isSuspicious, patternOf, samplesOf, type Level } from "./closer-look.ts";
import { Dialler } from "./dialler.ts";
import { runLanes, type Task } from "./lanes.ts";
import { isMeant, type LookHost, type LookJob } from "./look-job.ts";
import { seenCell, sightsOf, UNTRIED, type SeenCell, type WorkHost, type WorkSight, type WorkTarget } from "./work-cell.ts";

/** Where a job gives out what it sees. */
export interface JobSink {
  /** Cells that are done. */
  cells(cells: readonly SeenCell[]): void;
  /** What does not depend on a host. */
  endpoint(target: number, kind: ProbeKind, observation: Observation): void;
  progress(done: number, total: number): void;
}

/** What a job works with. */
export interface JobControl {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly sink: JobSink;
}

/** An endpoint that kept silent, and how many hosts were not dialled, or not sent a request, there for it. */
export interface GivenUp {
  readonly target: number;
  readonly skipped: number;
  readonly skippedRequests: number;
}

const MAX_PATTERNS = 1_000;
/** Hosts that are looked at more closely together, and given out then: with the deeper set for all, not everything is in hand at once. */
const HOSTS_AT_ONCE = 200;

/** Does a job: all base handshakes first, then what is to be looked at more closely. Ends early, with what is known, when the signal aborts. */
export async function runJob(job: LookJob, control: JobControl): Promise<readonly GivenUp[]> {
  return new JobRun(job, control).run();
}

class JobRun {
  readonly #job: LookJob;
  readonly #control: JobControl;
  readonly #dialler: Dialler;
  readonly #dials: CellDials;
  readonly #targets: readonly WorkTarget[];
  /** Hosts whose base handshakes are under way. */
  readonly #begun = new Map<LookHost, WorkHost>();
  /** Hosts that are not given out yet. */
  readonly #hosts = new Set<WorkHost>();
  readonly #patterns = new Map<string, number>();
  #done = 0;
  #total = 0;

  constructor(job: LookJob, control: JobControl) {
    this.#job = job;
    this.#control = control;
    this.#dialler = new Dialler(job, control);
    this.#dials = new CellDials(this.#dialler, (dials) => this.#counted(dials));
    this.#targets = job.targets.map((target, number) => ({ ...target, number, ...UNTRIED }));
  }

  async run(): Promise<readonly GivenUp[]> {
    await this.#all(this.#baseTasks());
    const kept = [...this.#hosts].filter(({ open }) => open === 0);
    this.#total += kept.reduce(
      (sum, work) => sum + this.#targets.reduce((count, target) => count + this.#closerTasks(target, work).length, 0),
      0,
    );
    for (let at = 0; at < kept.length && !this.#control.signal.aborted; at += HOSTS_AT_ONCE)
      await this.#lookCloser(kept.slice(at, at + HOSTS_AT_ONCE));
    for (const host of this.#hosts) this.#giveOut(host);
    return this.#targets.map(({ number, skipped, skippedRequests }) => ({ target: number, skipped, skippedRequests }));
  }

  async #lookCloser(hosts: readonly WorkHost[]): Promise<void> {
    await this.#all(this.#targets.map((target) => hosts.flatMap((work) => this.#closerTasks(target, work))));
    const sessions = this.#targets.map((target) => hosts.flatMap((work) => this.#sessionTasks(target, work)));
    this.#total += sessions.reduce((sum, tasks) => sum + tasks.length, 0);
    await this.#all(sessions);
    if (!this.#control.signal.aborted) for (const host of hosts) this.#giveOut(host);
  }

  /** Does lanes of tasks, one lane a target. Tasks that the caller's signal ended are no failure. */
  async #all(lanes: readonly (readonly Task[] | Iterable<Task>)[]): Promise<void> {
    const { signal, sink } = this.#control;
    const { perEndpoint, inAll } = this.#job;
    try {
      await runLanes(lanes, { perLane: perEndpoint, inAll, signal });
    } catch (thrown) {
      if (!(signal.aborted && thrown instanceof FarmError && thrown.code === "CANCELLED")) throw thrown;
    }
    sink.progress(this.#done, this.#total);
  }

  async #counted<T>(dials: Promise<T>): Promise<T> {
    const result = await dials;
    this.#done += 1;
    this.#control.sink.progress(this.#done, this.#total);
    return result;
  }

  #baseTasks(): Iterable<Task>[] {
    const { hosts, endpointProbes } = this.#job;
    const pairs = this.#targets.map((target) => hosts.filter((host) => isMeant(host, target)).length);
    this.#total = pairs.reduce((sum, one) => sum + one, 0) + (endpointProbes ? 2 * this.#targets.length : 0);
    return this.#targets.map((target) => this.#lane(target));
  }

  *#lane(target: WorkTarget): Iterable<Task> {
    if (this.#job.endpointProbes) {
      yield () => this.#endpointProbe("no-sni", target);
      yield () => this.#endpointProbe("unknown-name", target);
    }
    for (const host of this.#job.hosts) if (isMeant(host, target)) yield () => this.#base(target, this.#begin(host));
  }

  async #endpointProbe(kind: "no-sni" | "unknown-name", target: WorkTarget): Promise<void> {
    const observation = await this.#counted(this.#dialler.probe(kind, target, undefined));
    this.#control.sink.endpoint(target.number, kind, observation);
  }

  /** The host's work, made when its first cell comes up: thousands of hosts are not all in hand at once. */
  #begin(host: LookHost): WorkHost {
    let work = this.#begun.get(host);
    if (work === undefined) {
      const cells = this.#targets.filter((target) => isMeant(host, target)).map((target) => ({ target, host, probes: {} }));
      work = { cells, open: cells.length, level: "none" };
      this.#begun.set(host, work);
      this.#hosts.add(work);
    }
    return work;
  }

  async #base(target: WorkTarget, work: WorkHost): Promise<void> {
    const cell = work.cells.find((one) => one.target === target);
    if (cell !== undefined) {
      if (target.silent >= GIVE_UP_AFTER) this.#skip(target);
      else cell.probes.sni = await this.#counted(this.#dials.baseHandshake(target, cell.host));
    }
    work.open -= 1;
    if (work.open > 0) return;
    if (cell !== undefined) this.#begun.delete(cell.host);
    this.#settle(work);
  }

  #skip(target: WorkTarget): void {
    target.skipped += 1;
    this.#total -= 1;
  }

  /** Decides how closely a host is looked at; one that is done is given out at once. */
  #settle(work: WorkHost): void {
    const sights = sightsOf(work);
    work.level = this.#levelOf(sights);
    if (work.level === "none") this.#giveOut(work);
    else for (const { target } of work.cells) target.sampled = true;
  }

  #levelOf(sights: readonly WorkSight[]): Level {
    if (sights.length === 0) return "none";
    if (this.#job.deep || (isSuspicious(sights) && this.#isNew(patternOf(sights)))) return "closer";
    // Each endpoint has its tickets, its clock and its answers looked at once, healthy or not.
    if (!isSuspicious(sights) && sights.some(({ target }) => !target.sampled)) return "sample";
    return this.#job.requestAll ? "request" : "none";
  }

  #isNew(pattern: string): boolean {
    const key = this.#patterns.has(pattern) || this.#patterns.size < MAX_PATTERNS ? pattern : "others";
    const count = (this.#patterns.get(key) ?? 0) + 1;
    this.#patterns.set(key, count);
    return count <= this.#job.closerPerPattern;
  }

  #closerTasks(target: WorkTarget, work: WorkHost): readonly Task[] {
    const sights = sightsOf(work);
    const sight = sights.find((one) => one.target === target);
    return sight === undefined ? [] : this.#cellTasks(sight, sights, work.level);
  }

  #cellTasks(sight: WorkSight, beside: readonly WorkSight[], level: Level): readonly Task[] {
    const { target, cell } = sight;
    const { name } = cell.host;
    const samples = samplesOf(sight, level, this.#job.samples);
    const served = sight.sni.outcome.kind === "served";
    return [
      ...(served ? [() => this.#dials.request(cell)] : []),
      ...(level === "closer" ? closerKinds(sight, beside) : []).map((kind) => async () => {
        cell.probes[kind] = await this.#counted(
          kind === "proxy-header" ? this.#dials.withHeader(cell) : this.#dialler.probe(kind, target, name),
        );
      }),
      ...(served && level !== "request" ? [() => this.#dials.ownSession(cell)] : []),
      ...Array.from({ length: samples }, () => async () => {
        (cell.samples ??= []).push(await this.#counted(this.#dialler.probe("sni", target, name)));
      }),
    ];
  }

  /** Each node is offered the session of the one before it that gave one. */
  #sessionTasks(target: WorkTarget, { cells }: WorkHost): readonly Task[] {
    const holders = cells.filter(({ session, target: { role } }) => session !== undefined && role === "node");
    const at = holders.findIndex((cell) => cell.target === target);
    const [cell, from] = [holders[at], holders.at(at - 1)];
    if (cell === undefined || from?.session === undefined || from.target.node === target.node) return [];
    const { session } = from;
    return [() => this.#dials.otherSession(cell, from.target.node, session)];
  }

  #giveOut(work: WorkHost): void {
    this.#hosts.delete(work);
    const cells = work.cells.filter(({ probes }) => Object.keys(probes).length > 0);
    if (cells.length > 0) this.#control.sink.cells(cells.map(seenCell));
  }
}
