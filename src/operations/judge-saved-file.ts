import type { Clock, Log } from "../base/index.ts";
import type { PasswordSource } from "../certificates/index.ts";
import { parseFarmConfig } from "../config/index.ts";
import type { Judge } from "../replica/index.ts";
import type { FarmStore } from "../store/index.ts";

/** What judging works with. */
export interface JudgeParts {
  readonly store: FarmStore;
  readonly passwords: PasswordSource;
  readonly clock: Clock;
  readonly log: Log;
}

/** Decides on a farm.yaml that was saved into the store. */
export function createJudge(_parts: JudgeParts): Judge {
  return async (yaml) => {
    const reading = parseFarmConfig(yaml);
    if (reading.kind === "valid") return { kind: "accept" };
    return { kind: "refuse", problems: reading.problems.map((problem) => `line ${problem.line}: ${problem.path} ${problem.message}`) };
  };
}
