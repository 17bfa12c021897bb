import type { Instant } from "../base/index.ts";

/** The date in UTC. Certificates may say moments that a Date cannot hold. */
export function dayOf(at: Instant): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? "an unknown date" : date.toISOString().slice(0, 10);
}
