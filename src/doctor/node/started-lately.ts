import type { NodeEvidence } from "../evidence.ts";
import type { View } from "../view.ts";

const DAY_MS = 86_400_000;

/** The machine or the server process started within the last day. */
export function startedLately({ examination }: View, { system }: NodeEvidence): boolean {
  return system?.startedAt !== undefined && examination.at - system.startedAt < DAY_MS;
}
