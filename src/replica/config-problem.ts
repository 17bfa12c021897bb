import { instant, type Instant } from "../base/index.ts";
import type { FarmStore } from "../store/index.ts";
import { isDamage } from "./error-kinds.ts";
import { decodeFields, encodeJson, listField, numberField, textField } from "./state-json.ts";

/** Why a saved farm.yaml did not become a revision; the last good one goes on. */
export interface ConfigProblemRecord {
  /** sha256 of the refused content. */
  readonly digest: string;
  readonly problems: readonly string[];
  readonly at: Instant;
}

const KEY = "config-problem";
const MAX_PROBLEMS = 200;
const MAX_PROBLEM_LENGTH = 1000;

/** undefined = the saved file is no problem. @throws STORE_CORRUPT */
export async function readConfigProblem(store: FarmStore): Promise<ConfigProblemRecord | undefined> {
  const entry = await store.state.read(KEY);
  if (entry === undefined) return undefined;
  const fields = decodeFields(entry.value, KEY);
  return {
    digest: textField(fields, "digest", KEY),
    problems: listField(fields, "problems", KEY).map(String),
    at: instant(numberField(fields, "at", KEY)),
  };
}

/** Notes (or, with undefined, clears) the problem; writes nothing when it is there already. */
export async function writeConfigProblem(store: FarmStore, problem: ConfigProblemRecord | undefined): Promise<void> {
  const entry = await store.state.read(KEY);
  if (problem === undefined) {
    if (entry !== undefined) await store.state.remove(KEY, entry.rev);
    return;
  }
  const bounded = bound(problem.problems);
  const present = entry === undefined ? undefined : await readConfigProblem(store).catch(undefinedWhenDamaged);
  if (present?.digest === problem.digest && JSON.stringify(present.problems) === JSON.stringify(bounded)) return;
  await store.state.write(KEY, encodeJson({ ...problem, problems: bounded }), entry?.rev);
}

function undefinedWhenDamaged(error: unknown): undefined {
  if (!isDamage(error)) throw error;
}

function bound(problems: readonly string[]): readonly string[] {
  const kept = problems.slice(0, MAX_PROBLEMS).map((problem) => problem.slice(0, MAX_PROBLEM_LENGTH));
  return problems.length > MAX_PROBLEMS ? [...kept, `and ${problems.length - MAX_PROBLEMS} more`] : kept;
}
