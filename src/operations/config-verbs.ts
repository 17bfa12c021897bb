import { FarmError, parseHostPattern, type HostPattern } from "../base/index.ts";
import { diffConfigs, verdict, type ConfigChange } from "../config/index.ts";
import { textDiff } from "../config/text-diff.ts";
import { parseFarmConfig } from "../config/parse-farm-config.ts";
import type { Revision } from "../replica/index.ts";
import type { OperationsParts } from "./parts.ts";
import { configInvalid, planConfig, wouldBreak } from "./plan-config.ts";
import type { FarmView } from "./present-farm.ts";
import type { Applied, ConfigPlan, RevisionSummary } from "./types.ts";

/** A change to apply. */
export interface ApplyRequest {
  readonly yaml: string;
  /** The revision that the author started from; absent = the latest. */
  readonly base?: number;
  readonly note?: string;
  /** Hosts and patterns that may stop being served. */
  readonly allowBroken?: readonly string[];
  readonly by?: string;
  /** Makes a revision also when the text is that of the latest one. */
  readonly anew?: boolean;
}

/** A return to an earlier revision. */
export type RollbackRequest = Omit<ApplyRequest, "yaml" | "base" | "anew"> & { readonly number: number };

/** The use cases of the shared configuration. */
export interface ConfigVerbs {
  /** @throws CONFIG_REVISION_ABSENT for a base that is none */
  plan(yaml: string, base?: number): Promise<ConfigPlan>;
  /** @throws CONFIG_INVALID, CONFIG_WOULD_BREAK, STORE_CONFLICT, HOST_NAME_INVALID */
  apply(request: ApplyRequest): Promise<Applied>;
  /**
   * Makes a new revision with an earlier one's text, in a farm with identities also with the latest one's: it is signed anew.
   * @throws as apply, CONFIG_REVISION_ABSENT
   */
  rollback(request: RollbackRequest): Promise<Applied>;
  /** The latest one without a number. @throws CONFIG_REVISION_ABSENT */
  show(number?: number): Promise<Revision>;
  /** Newest first. */
  history(limit: number): Promise<readonly RevisionSummary[]>;
  /** @throws CONFIG_REVISION_ABSENT */
  diff(from: number, to: number): Promise<{ readonly diff: string; readonly changes: readonly ConfigChange[] }>;
}

/** The use cases of the shared configuration over a store. */
export function createConfigVerbs(parts: OperationsParts, farm: FarmView): ConfigVerbs {
  const { revisions, reports } = farm;

  async function plan(yaml: string, base?: number): Promise<ConfigPlan> {
    const latest = await revisions.latest();
    const from = base === undefined || base === latest?.number ? latest : base === 0 ? undefined : await need(base);
    return planConfig(parts, { yaml, base: from, latest: latest?.number ?? 0, reports: await reports.all() });
  }

  async function need(number: number): Promise<Revision> {
    const found = await revisions.get(number);
    if (found !== undefined) return found;
    const latest = await revisions.latest();
    const there = latest === undefined ? "the farm has none yet" : `the latest is ${latest.number}`;
    throw new FarmError("CONFIG_REVISION_ABSENT", `there is no revision ${number}: ${there}`, {
      facts: { number, latest: latest?.number ?? 0 },
    });
  }

  async function apply(request: ApplyRequest): Promise<Applied> {
    const { yaml, note, allowBroken = [], by = parts.by, anew = false } = request;
    const allowed = allowBroken.map((text) => requirePattern(text));
    const planned = await plan(yaml);
    if (planned.kind === "invalid") throw configInvalid(planned);
    const base = request.base ?? planned.latest;
    // A stale base is a conflict, whatever the plan says: the author has not seen what he would undo.
    const forbidden = base === planned.latest ? verdict(planned.impact, allowed) : [];
    if (forbidden.length > 0) throw wouldBreak(planned, forbidden);
    const made = await revisions.append({ yaml, by, base, anew, ...(note === undefined ? {} : { note }) });
    return {
      revision: summaryOf(made),
      changed: made.number !== planned.latest,
      farmFile: made.farmFile,
      broken: planned.impact.broken,
      counts: planned.impact.counts,
      missing: planned.missing,
      warningText: planned.warningText,
    };
  }

  return {
    plan,
    apply,
    async rollback({ number, ...rest }) {
      const { yaml } = await need(number);
      return apply({ note: `back to revision ${number}`, ...rest, yaml, anew: parts.signing !== undefined });
    },
    async show(number) {
      if (number !== undefined) return need(number);
      const latest = await revisions.latest();
      if (latest === undefined) throw new FarmError("CONFIG_REVISION_ABSENT", "the farm has no revision yet");
      return latest;
    },
    history: async (limit) => (await revisions.history(limit)).map(summaryOf),
    async diff(from, to) {
      const [old, now] = await Promise.all([from === 0 ? undefined : need(from), need(to)]);
      const [before, after] = [old, now].map((revision) => (revision === undefined ? undefined : parseFarmConfig(revision.yaml)));
      const text = textDiff({ label: `revision ${from}`, text: old?.yaml ?? "" }, { label: `revision ${to}`, text: now.yaml });
      const changes = after?.kind === "valid" ? diffConfigs(before?.kind === "valid" ? before.config : undefined, after.config) : [];
      return { diff: text, changes };
    },
  };
}

function requirePattern(text: string): HostPattern {
  const pattern = parseHostPattern(text);
  if (pattern === undefined)
    throw new FarmError("HOST_NAME_INVALID", `${JSON.stringify(text.slice(0, 300))} is neither a host name nor *. and one`);
  return pattern;
}

function summaryOf({ number, digest, at, by, note, signer, refused }: Revision): RevisionSummary {
  return {
    number,
    digest,
    at,
    by,
    ...(note === undefined ? {} : { note }),
    ...(signer === undefined ? {} : { signer }),
    ...(refused === undefined ? {} : { refused }),
  };
}
