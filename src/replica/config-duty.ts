import type { Clock, Log } from "../base/index.ts";
import type { FarmStore } from "../store/index.ts";
import { writeConfigProblem } from "./config-problem.ts";
import type { DutyPass, PassOutcome } from "./duty-pass.ts";
import { isConflict } from "./error-kinds.ts";
import { readFarmFile, readSettledFarmFile, settleFarmFile, type FarmFile } from "./farm-file.ts";
import { orAborted } from "./follow.ts";
import type { Revisions } from "./revisions.ts";
import type { Revision } from "./types.ts";

/** What becomes of a saved farm.yaml. */
export type Judgement = { readonly kind: "accept" } | { readonly kind: "refuse"; readonly problems: readonly string[] };

/** Decides on a saved farm.yaml; `current` is the latest revision. */
export type Judge = (yaml: string, current: Revision | undefined) => Promise<Judgement>;

interface ConfigDuty {
  readonly store: FarmStore;
  readonly revisions: Revisions;
  readonly judge: Judge;
  readonly node: string;
  readonly clock: Clock;
  readonly log: Log;
}

type SavedEdit = Exclude<FarmFile, { kind: "absent" }>;

/** A refused file is judged again this often: what it lacked (a certificate) may have come. */
const JUDGE_AGAIN_MS = 10_000;
const JUDGE_TIMEOUT_MS = 60_000;

/** One pass: farm.yaml becomes a revision, a problem record, or is brought up to the latest revision. Says whether to look again at once. */
export function createConfigDuty(duty: ConfigDuty): DutyPass {
  const { store, revisions, clock, log } = duty;
  let refused: { readonly digest: string; readonly latest: number; readonly atMs: number } | undefined;

  async function refuse(digest: string, problems: readonly string[], latest: number): Promise<void> {
    if (refused?.digest !== digest) log.warn("the saved farm.yaml is refused", { digest, problems: problems.slice(0, 10) });
    refused = { digest, latest, atMs: clock.monotonicMs() };
    await writeConfigProblem(store, { digest, problems, at: clock.now() });
  }

  /** What was refused a moment ago, against the same latest revision, is not judged again yet. */
  const isRefused = (digest: string, latest: number): boolean =>
    refused?.digest === digest && refused.latest === latest && clock.monotonicMs() - refused.atMs < JUDGE_AGAIN_MS;

  async function accept(yaml: string, latest: Revision | undefined): Promise<PassOutcome> {
    try {
      const made = await revisions.append({ yaml, by: "saved file", note: `judged by ${duty.node}`, base: latest?.number ?? 0 });
      log.info("the saved farm.yaml is a new revision", { revision: made.number });
    } catch (error) {
      // Somebody applied another revision meanwhile: what is saved is judged again against that one.
      if (isConflict(error)) return { againInMs: 0 };
      throw error;
    }
    return clear();
  }

  /** Nothing of the saved file is waiting. */
  async function clear(): Promise<"settled"> {
    refused = undefined;
    await writeConfigProblem(store, undefined);
    return "settled";
  }

  async function decide(yaml: string, latest: Revision | undefined, signal: AbortSignal): Promise<Judgement> {
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(JUDGE_TIMEOUT_MS)]);
    const judgement = await orAborted(duty.judge(yaml, latest), deadline);
    signal.throwIfAborted();
    return judgement;
  }

  /** "again" = it is being written; undefined = it was refused a moment ago. */
  async function lookAtFile(latest: Revision | undefined, signal: AbortSignal): Promise<FarmFile | "again" | undefined> {
    const first = await readFarmFile(store);
    if (first.kind !== "absent" && isRefused(first.digest, latest?.number ?? 0)) return undefined;
    if (first.kind !== "absent" && first.digest === latest?.digest) return first;
    const settled = await readSettledFarmFile(store, signal);
    signal.throwIfAborted();
    return settled ?? "again";
  }

  async function settleEdit(edit: SavedEdit, latest: Revision | undefined, signal: AbortSignal): Promise<PassOutcome> {
    const judgement =
      edit.kind === "text" ? await decide(edit.yaml, latest, signal) : ({ kind: "refuse", problems: [edit.problem] } as const);
    if (judgement.kind === "accept" && edit.kind === "text") return accept(edit.yaml, latest);
    if (judgement.kind === "refuse") await refuse(edit.digest, judgement.problems, latest?.number ?? 0);
    return "settled";
  }

  return async (signal) => {
    const latest = await revisions.latest();
    const file = await lookAtFile(latest, signal);
    if (file === undefined) return "settled";
    if (file === "again") return { againInMs: 0 };
    const state = await settleFarmFile(store, latest, file);
    if (state.kind === "written") log.info("config/farm.yaml holds the latest revision again", { revision: latest?.number });
    return state.kind === "in-sync" || state.kind === "written" ? clear() : settleEdit(state, latest, signal);
  };
}
