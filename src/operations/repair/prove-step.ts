import { setTimeout as sleep } from "node:timers/promises";

import { toFarmError, type HostName } from "../../base/index.ts";
import type { OperationsParts } from "../parts.ts";
import { compareSights, lookAtNode, type NodeSight, type ProverParts } from "./prove-node.ts";

/** What a step came to. `worse`: something that was served is not any more, or cannot be looked at. */
export type Verdict =
  | { readonly kind: "worse"; readonly why: string }
  | { readonly kind: "proved" | "no-better"; readonly sight: NodeSight; readonly mended: number; readonly problem?: string };

/** What to prove after a step. */
export interface ProofQuestion {
  readonly node: string;
  readonly hosts: readonly HostName[];
  readonly before: NodeSight;
  /** Hosts that the step should mend. */
  readonly expected: readonly HostName[];
  /** How long the proof may take to come right. */
  readonly withinMs: number;
}

const LOOK_EVERY_MS = 200;

/** Looks until nothing is worse and what is expected is served, or until the time is up, and judges the last look. Never throws. */
export async function proveAfter(
  { parts, prover }: { readonly parts: OperationsParts; readonly prover: ProverParts },
  question: ProofQuestion,
): Promise<Verdict> {
  const { node, hosts, expected } = question;
  const untilMs = parts.clock.monotonicMs() + question.withinMs;
  for (;;) {
    const sight = await lookAtNode(prover, node, hosts).catch((error: unknown) => toFarmError(error).message);
    const isRight =
      typeof sight !== "string" && judge(sight, question).kind === "proved" && expected.every((host) => isServed(sight, host));
    if (isRight || parts.clock.monotonicMs() >= untilMs) {
      return typeof sight === "string" ? { kind: "worse", why: `${node} cannot be proved: ${sight}` } : judge(sight, question);
    }
    await sleep(LOOK_EVERY_MS);
  }
}

/** Whether clients get a valid certificate for the host, whatever its root. */
export const isServed = ({ ranks }: NodeSight, host: HostName): boolean => (ranks.get(host) ?? 0) >= 2;

function judge(sight: NodeSight, { before, expected }: ProofQuestion): Verdict {
  const { worse, better } = compareSights(before.ranks, sight, before.withoutName.length);
  if (worse[0] !== undefined) return { kind: "worse", why: worse[0] };
  const left = expected.find((host) => !isServed(sight, host));
  const mended = better.length;
  if (left === undefined || mended > 0) return { kind: "proved", sight, mended };
  return { kind: "no-better", sight, mended, problem: `${left}: ${sight.texts.get(left) ?? "not served"}` };
}
