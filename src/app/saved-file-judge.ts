import type { AuditTrail } from "../audit/index.ts";
import type { Clock, Log } from "../base/index.ts";
import type { PasswordSource } from "../certificates/index.ts";
import type { Signing } from "../identity/index.ts";
import type { Judge } from "../replica/index.ts";
import type { FarmStore } from "../store/index.ts";

/** What a saved farm.yaml is judged with, and who judges it. */
interface JudgeSettings {
  readonly name: string;
  readonly role: "node" | "admin";
  readonly store: FarmStore;
  readonly passwords: PasswordSource;
  readonly clock: Clock;
  readonly log: Log;
  readonly signing?: Signing | undefined;
  /** Absent = the log is made when it is needed, unsigned. */
  readonly audit?: Pick<AuditTrail, "note">;
}

/**
 * Judges a saved farm.yaml; that it becomes a revision is written into the audit log before it does. A saved farm.yaml is rare, and judging it
 * brings the whole planner: it is loaded then.
 */
export function createSavedFileJudge({ name, role, audit, ...parts }: JudgeSettings): Judge {
  return async (yaml, current) => {
    const { createJudge } = await import("../operations/index.ts");
    const judgement = await createJudge(parts)(yaml, current);
    // In a farm with identities no node makes revisions, and the log is the admins'.
    if (judgement.kind === "refuse" || (role === "node" && parts.signing !== undefined)) return judgement;
    const target = current === undefined ? "saved farm.yaml, the first" : `saved farm.yaml, after revision ${current.number}`;
    const log = audit ?? (await import("../audit/index.ts")).createAuditTrail({ ...parts, state: parts.store.state, self: name });
    await log.note({ action: "config.saved", target, caller: { name, role, by: "saved file" } }, { outcome: "done" });
    return judgement;
  };
}
