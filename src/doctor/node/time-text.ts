import type { Instant } from "../../base/index.ts";

/** `2026-06-15 12:00 UTC`; `an unknown time` for what is none. */
export function timeText(at: Instant): string {
  return Number.isFinite(at) && Math.abs(at) < 8.64e15
    ? `${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`
    : "an unknown time";
}
