import type { Clock, Log } from "../base/index.ts";
import type { PasswordSource, WorkerSettings } from "../certificates/index.ts";
import { verdict } from "../config/index.ts";
import type { Signing } from "../identity/index.ts";
import { createReports, type Judge } from "../replica/index.ts";
import type { FarmStore } from "../store/index.ts";
import { breakSentence, planConfig } from "./plan-config.ts";

/** What judging works with. */
export interface JudgeParts {
  readonly store: FarmStore;
  readonly passwords: PasswordSource;
  readonly clock: Clock;
  readonly log: Log;
  readonly workers?: WorkerSettings;
  /** With it, only what nodes signed is taken for what they serve. */
  readonly signing?: Signing | undefined;
}

const MAX_NAMED = 100;

/**
 * Decides on a farm.yaml that was saved into the store, by the same plan as `config apply`: what is not valid or would break a host that
 * is served now is refused. A farm's first revision breaks nothing.
 */
export function createJudge(parts: JudgeParts): Judge {
  const reports = createReports(parts.store, parts);
  return async (yaml, current) => {
    const planned = await planConfig(
      { ...parts, by: "saved file" },
      { yaml, base: current, latest: current?.number ?? 0, reports: await reports.all() },
    );
    if (planned.kind === "invalid") {
      return {
        kind: "refuse",
        problems: planned.problems.map(({ line, path, message }) => `line ${line}: ${path === "" ? "" : `${path} `}${message}`),
      };
    }
    const broken = current === undefined ? [] : verdict(planned.impact, []);
    if (broken.length === 0) return { kind: "accept" };
    const allow = broken.slice(0, 5).map((host) => `--allow-broken '${host}'`);
    return {
      kind: "refuse",
      problems: [
        ...broken.slice(0, MAX_NAMED).map((host) => `would no longer be served: ${breakSentence(planned, host)}`),
        `to allow it, run: certfarm config apply farm.yaml ${allow.join(" ")}${broken.length > allow.length ? " …" : ""}`,
      ],
    };
  };
}
