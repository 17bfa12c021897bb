import type { Clock, Log } from "../base/index.ts";
import type { PasswordSource } from "../certificates/index.ts";
import type { Judge } from "../replica/index.ts";
import type { FarmStore } from "../store/index.ts";

/** What a saved farm.yaml is judged with. */
interface JudgeSettings {
  readonly node: string;
  readonly store: FarmStore;
  readonly passwords: PasswordSource;
  readonly clock: Clock;
  readonly log: Log;
  /** In a farm with identities no node makes revisions, and the audit log is the admins'. */
  readonly isSigned: boolean;
}

/**
 * Judges a saved farm.yaml; that it becomes a revision is written into the audit log before it does. A saved farm.yaml is rare, and judging it brings
 * the whole planner: the node that has the duty loads it then.
 */
export function createSavedFileJudge({ node, store, passwords, clock, log, isSigned }: JudgeSettings): Judge {
  return async (yaml, current) => {
    const { createJudge } = await import("../operations/index.ts");
    const judgement = await createJudge({ store, passwords, clock, log })(yaml, current);
    if (judgement.kind === "refuse" || isSigned) return judgement;
    const { createAuditTrail } = await import("../audit/index.ts");
    const audit = createAuditTrail({ state: store.state, clock, log, self: node });
    const target = current === undefined ? "saved farm.yaml, the first" : `saved farm.yaml, after revision ${current.number}`;
    await audit.note({ action: "config.saved", target, caller: { name: node, role: "node", by: "saved file" } }, { outcome: "done" });
    return judgement;
  };
}
