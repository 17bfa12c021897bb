import { silentLog, systemClock } from "../../base/index.ts";
import { createMemoryBacking, createMemoryStore, type FarmStore, type FaultPlan, type MemoryBacking } from "../../store/index.ts";
import { createAuditTrail, type AuditTrail } from "../audit-trail.ts";
import type { AuditTrailParts } from "../audit-writer.ts";

/** A store in memory, and trails over it as several processes would have. */
export interface SampleLog {
  readonly backing: MemoryBacking;
  readonly store: FarmStore;
  readonly trail: (changes?: Partial<AuditTrailParts> & { readonly faults?: FaultPlan }) => AuditTrail;
}

/** Makes one. */
export function sampleLog(): SampleLog {
  const backing = createMemoryBacking();
  const store = createMemoryStore({ backing });
  return {
    backing,
    store,
    trail({ faults, ...changes } = {}) {
      const { state } = createMemoryStore({ backing, ...(faults === undefined ? {} : { faults }) });
      return createAuditTrail({ state, clock: systemClock, log: silentLog, self: "tester", ...changes });
    },
  };
}

/** Writes `count` entries. */
export async function fill(trail: AuditTrail, count: number, target = "web"): Promise<void> {
  for (let at = 1; at <= count; at += 1) await trail.note({ action: "drain", target: `${target}${at}` }, { outcome: "done" });
}
