import { setMaxListeners } from "node:events";
import { availableParallelism } from "node:os";

import type { Gap } from "../doctor/index.ts";
import { Assembly } from "./assembly.ts";
import { isThere, LOOK_WORKER, lookInThread, type ThreadEnd } from "./look-in-threads.ts";
import { isMeant, jobOf, splitJob, type LookJob } from "./look-job.ts";
import type { LookControl, LookPlan, LookResult } from "./look-plan.ts";
import { runJob, type JobSink } from "./run-job.ts";
import { SeenCertificates } from "./seen-certificates.ts";
import { givenRoots, systemRoots } from "./trusted-roots.ts";

/** Cells that are worth a thread: to start one, and to have its code compiled, takes as long as some hundred handshakes. */
const CELLS_PER_THREAD = 1_000;
/** As many certificates as a job keeps. */
const MAX_CERTIFICATES = 100_000;

/**
 * Dials every host on every endpoint: one handshake a cell first, for all of them. Then the deeper set where it tells something: for
 * cells of a host that differ or fail (of many hosts that show the same pattern, for the first few), or for all with `deep`. Each
 * endpoint is dialled once without SNI and with an unknown name, and has sessions and a request tried for at least one host that is well.
 * A base handshake that times out is tried once more. An endpoint that keeps silent is given up: a gap says so.
 * When the signal aborts, what is known is the answer.
 * @throws PROBE_ROOTS_INVALID when `ca` holds no certificate
 */
export async function lookAround(plan: LookPlan, control: LookControl): Promise<LookResult> {
  const roots = plan.ca === undefined ? systemRoots() : givenRoots(plan.ca);
  const job = jobOf({ ...plan, ...(plan.ca === undefined ? {} : { ca: roots.ca }) });
  const assembly = new Assembly(job);
  const wanted = wantedCells(job);
  const signal = manyListeners(control.signal);
  const threads = threadsFor(plan, job, wanted);
  const look = { job, assembly, control, signal, entry: plan.entry ?? LOOK_WORKER };
  const ends = threads > 1 ? await inThreads(look, threads) : [await here(look)];
  const cells = assembly.cells();
  const problems = new Set(ends.flatMap(({ problem }) => problem ?? []));
  const gaps: Gap[] = [
    ...assembly.silences(ends.flatMap(({ givenUp }) => givenUp)),
    ...[...problems].map((problem): Gap => ({ what: "probes", why: `a thread that dials ended early: ${problem}` })),
    ...(signal.aborted ? [{ what: "probes" as const, why: `stopped when ${cells.length} of ${wanted} were dialled` }] : []),
  ];
  return { cells, gaps, roots: roots.from };
}

/** A signal that follows the caller's, and to which every dial may listen. */
function manyListeners(signal: AbortSignal | undefined): AbortSignal {
  const own = signal === undefined ? new AbortController().signal : AbortSignal.any([signal]);
  setMaxListeners(0, own);
  return own;
}

interface Look {
  readonly job: LookJob;
  readonly assembly: Assembly;
  readonly control: LookControl;
  readonly signal: AbortSignal;
  readonly entry: URL;
}

const wantedCells = ({ targets, hosts }: LookJob): number =>
  targets.reduce((sum, target) => sum + hosts.filter((host) => isMeant(host, target)).length, 0);

function threadsFor({ threads, entry = LOOK_WORKER }: LookPlan, { perEndpoint, inAll }: LookJob, cells: number): number {
  const wanted = threads ?? Math.min(availableParallelism(), Math.floor(cells / CELLS_PER_THREAD));
  const useful = Math.min(wanted, perEndpoint, inAll);
  return useful > 1 && isThere(entry) ? useful : 1;
}

/** Adds up the progress of parts. */
function progressOf({ control }: Look, parts: number): (part: number) => JobSink["progress"] {
  const each = Array.from({ length: parts }, () => ({ done: 0, total: 0 }));
  return (part) => (done, total) => {
    each[part] = { done, total };
    control.onProgress?.({ done: each.reduce((sum, one) => sum + one.done, 0), total: each.reduce((sum, one) => sum + one.total, 0) });
  };
}

const sinkOf = ({ assembly }: Look, progress: JobSink["progress"]): JobSink => ({
  cells: (cells) => assembly.add(cells),
  endpoint: (target, kind, observation) => assembly.addEndpoint(target, kind, observation),
  progress,
});

async function here(look: Look): Promise<ThreadEnd> {
  const { job, control, signal } = look;
  return { givenUp: await runJob(job, { clock: control.clock, signal, sink: sinkOf(look, progressOf(look, 1)(0)) }) };
}

function inThreads(look: Look, threads: number): Promise<readonly ThreadEnd[]> {
  const { job, signal, entry } = look;
  const numbering = { targets: job.targets, hosts: job.hosts, certificates: new SeenCertificates(MAX_CERTIFICATES) };
  const progress = progressOf(look, threads);
  return Promise.all(
    splitJob(job, threads).map((part, index) => lookInThread(part, { entry, numbering, sink: sinkOf(look, progress(index)), signal })),
  );
}
