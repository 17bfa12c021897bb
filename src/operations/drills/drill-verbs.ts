import { setTimeout as sleep } from "node:timers/promises";

import { FarmError, instant, toFarmError, type Instant } from "../../base/index.ts";
import type { Finding } from "../../doctor/index.ts";
import type { DrillState } from "../../node/index.ts";
import { createAsker, type Asker } from "../ask-nodes.ts";
import type { OperationsParts } from "../parts.ts";
import type { FarmView } from "../present-farm.ts";
import { DRILLS, requireDrill, type Drill } from "./catalogue.ts";
import { choosePlace, type DrillPlace } from "./choose-place.ts";
import { createDrillJournal, newDrillId, type DrillJournal, type DrillRun } from "./drill-journal.ts";
import { watchClients } from "./watch-clients.ts";

/** What to drill. */
export interface DrillRequest extends DrillPlace {
  readonly name: string;
  /** When it ends by itself. @default 10 minutes */
  readonly forMs?: number;
  /** How long clients are watched at most. @default 5,000 */
  readonly watchMs?: number;
  readonly by?: string;
  readonly signal?: AbortSignal;
}

/** A drill and how it went. Times are milliseconds since it started; absent = not (yet). */
export interface DrillScore extends DrillRun {
  readonly finding: string;
  readonly state: "running" | "over";
  readonly noticedMs?: number;
  readonly namedMs?: number;
  /** Since it started. */
  readonly mendedMs?: number;
  /** The balancer is to leave the node out; otherwise it serves on and clients lose nothing. */
  readonly isToBeNoticed: boolean;
  /** It was noticed where it had to be, and no client met it after that. */
  readonly isWell: boolean;
}

/** The use cases of drills. */
export interface DrillVerbs {
  list(): readonly Drill[];
  /** @throws DRILL_UNKNOWN, DRILL_NOT_POSSIBLE, DRILL_RUNS, NODE_DRILLS_OFF, NODE_NO_ANSWER, and what choosing a place throws */
  start(request: DrillRequest): Promise<DrillScore>;
  /** Ends the drills of this name (all when absent), and waits a while until the hosts are proved again. */
  stop(name: string | undefined, signal?: AbortSignal): Promise<readonly DrillScore[]>;
  /** The drills of this name, or all; newest first. */
  score(limit: number): Promise<readonly DrillScore[]>;
  /** Notes for drills that run that a look of the doctor named them. */
  named(findings: readonly Finding[]): Promise<void>;
}

const FOR_MS = 600_000;
const WATCH_MS = 5_000;
const ANSWER_MS = 5_000;
const MEND_MS = 20_000;
const LOOK_MS = 150;

/** Over the farm's store. */
export function createDrillVerbs(parts: OperationsParts, farm: FarmView): DrillVerbs {
  const journal = createDrillJournal(parts.store.state, parts.log);
  const work: Work = { parts, farm, journal, asker: createAsker(parts, farm) };
  return {
    list: () => DRILLS,
    start: (request) => start(work, request),
    stop: (name, signal) => stop(work, name, signal),
    score: async (limit) => (await refreshed(work)).slice(0, limit).map((run) => scoreOf(run, parts.clock.now())),
    async named(findings) {
      const running = (await journal.list()).filter((run) => isRunning(run, parts.clock.now()) && run.namedAt === undefined);
      for (const { id, drill, node } of running) {
        const code = DRILLS.find(({ name }) => name === drill)?.finding;
        if (findings.some((finding) => finding.code === code && finding.nodes.includes(node)))
          await journal.note(id, { namedAt: instant(parts.clock.now()) });
      }
    },
  };
}

interface Work {
  readonly parts: OperationsParts;
  readonly farm: FarmView;
  readonly journal: DrillJournal;
  readonly asker: Asker;
}

const isRunning = ({ endedAt, untilAt }: DrillRun, now: Instant): boolean => endedAt === undefined && now < untilAt;

async function start(work: Work, request: DrillRequest): Promise<DrillScore> {
  const { parts, farm, journal, asker } = work;
  const { clock } = parts;
  const drill = requireDrill(request.name);
  const running = (await refreshed(work)).filter((run) => isRunning(run, clock.now()));
  const place = await choosePlace(parts, farm, { place: request, running });
  const { forMs = FOR_MS, watchMs = WATCH_MS, by = parts.by, signal = new AbortController().signal } = request;
  const { node, host, port, config } = place;
  const startedAt = instant(clock.now());
  const id = newDrillId(startedAt);
  await journal.begin({ id, drill: drill.name, node, host, port, by, startedAt, untilAt: instant(startedAt + forMs) });
  const begun = await asker
    .ask(node, "drill.start", { id, drill: drill.name, host, port, forMs }, { timeoutMs: ANSWER_MS })
    .catch(async (error: unknown) => {
      await journal.note(id, { endedAt: instant(clock.now()), endedBy: `it did not begin: ${toFarmError(error).message.slice(0, 300)}` });
      throw error;
    });
  await journal.note(id, { did: begun.did });
  const noticed = async (): Promise<Instant | undefined> =>
    drill.name === "node-dead" ? undefined : (await stateOf(work, node, id))?.noticedAt;
  const watched = await watchClients({ clock, config, node, host, port, forMs: watchMs, signal, noticed });
  const run = await journal.note(id, { ...watched, watchedAt: instant(clock.now()) });
  if (run === undefined) throw new FarmError("STORE_CONFLICT", `the drill ${id} is gone from the journal`);
  return scoreOf(run, clock.now());
}

async function stateOf({ asker }: Work, node: string, id: string): Promise<DrillState | undefined> {
  const { drills } = await asker.ask(node, "drill.show", {}, { timeoutMs: 2_000 });
  return drills.find((one) => one.id === id);
}

async function stop(work: Work, name: string | undefined, signal?: AbortSignal): Promise<readonly DrillScore[]> {
  const { parts, journal, asker } = work;
  const { clock } = parts;
  if (name !== undefined) requireDrill(name);
  const running = (await refreshed(work)).filter((run) => isRunning(run, clock.now()) && (name === undefined || run.drill === name));
  const ended = await Promise.all(
    running.map(async ({ id, drill, node }) => {
      // A dead node looks into the journal: it hears nothing.
      if (drill !== "node-dead") await asker.ask(node, "drill.stop", { id }, { timeoutMs: ANSWER_MS });
      await journal.note(id, { endedAt: instant(clock.now()), endedBy: "stopped" });
      return awaitMended(work, id, signal);
    }),
  );
  return ended.flatMap((run) => (run === undefined ? [] : [scoreOf(run, clock.now())]));
}

async function awaitMended(work: Work, id: string, signal?: AbortSignal): Promise<DrillRun | undefined> {
  const { clock } = work.parts;
  const untilMs = clock.monotonicMs() + MEND_MS;
  for (;;) {
    const run = (await refreshed(work)).find((one) => one.id === id);
    if (run === undefined || run.mendedAt !== undefined || clock.monotonicMs() > untilMs || signal?.aborted === true) return run;
    await sleep(LOOK_MS);
  }
}

/** The journal with what the nodes have told since, newest first. */
async function refreshed(work: Work): Promise<readonly DrillRun[]> {
  const runs = await work.journal.list();
  return Promise.all(runs.map((run) => refresh(work, run)));
}

/** A drill that is older than this and was never seen mended stays so. */
const FORGOTTEN_MS = 3_600_000;

async function refresh(work: Work, run: DrillRun): Promise<DrillRun> {
  const now = work.parts.clock.now();
  if (run.mendedAt !== undefined || now - run.untilAt > FORGOTTEN_MS) return run;
  const told = run.drill === "node-dead" ? await revived(work, run) : await stateOf(work, run.node, run.id).catch(() => undefined);
  if (told === undefined) return run;
  const { noticedAt, endedAt, endedBy, mendedAt } = told;
  const facts = {
    // While clients are watched, what the balancer does is what counts.
    ...(noticedAt === undefined || run.watchedAt === undefined ? {} : { noticedAt }),
    ...(endedAt === undefined ? {} : { endedAt }),
    ...(endedBy === undefined ? {} : { endedBy }),
    ...(mendedAt === undefined ? {} : { mendedAt }),
  };
  return (await work.journal.note(run.id, facts)) ?? run;
}

/** A node that was dead is mended once it reports again and has proved the host. */
async function revived({ asker }: Work, { node, host, port, startedAt }: DrillRun): Promise<Partial<DrillState> | undefined> {
  const { report } = await asker.ask(node, "evidence", {}, { timeoutMs: 1_000 }).catch(() => ({ report: undefined }));
  if (report === undefined || report.startedAt < startedAt || report.draining) return undefined;
  const { hosts } = await asker.ask(node, "prove", { hosts: [host] }, { timeoutMs: ANSWER_MS });
  const proof = hosts.find((one) => one.port === port);
  return proof?.verdict === "proved" && proof.at !== undefined ? { mendedAt: proof.at } : undefined;
}

/** A connection that the balancer gave to the node a moment before may end a moment after. */
const GRACE_MS = 50;

const lastFailed = ({ clients }: DrillRun): number => clients?.lastAt ?? 0;

function scoreOf(run: DrillRun, now: Instant): DrillScore {
  const drill = DRILLS.find(({ name }) => name === run.drill);
  const since = (at: Instant | undefined): number | undefined => (at === undefined ? undefined : Math.max(0, at - run.startedAt));
  const [noticedMs, namedMs, mendedMs] = [since(run.noticedAt), since(run.namedAt), since(run.mendedAt)];
  return {
    ...run,
    finding: drill?.finding ?? "",
    isToBeNoticed: drill?.noticed === true,
    isWell: drill?.noticed === true ? run.noticedAt !== undefined && lastFailed(run) <= run.noticedAt + GRACE_MS : lastFailed(run) === 0,
    state: isRunning(run, now) ? "running" : "over",
    ...(noticedMs === undefined ? {} : { noticedMs }),
    ...(namedMs === undefined ? {} : { namedMs }),
    ...(mendedMs === undefined ? {} : { mendedMs }),
  };
}
