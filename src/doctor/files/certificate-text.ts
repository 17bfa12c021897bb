import type { Instant } from "../../base/index.ts";

/** `2026-06-15`, or `an impossible date`: dates come from peers. */
export function dayText(at: Instant): string {
  return Number.isFinite(at) && Math.abs(at) <= 8.64e15 ? new Date(at).toISOString().slice(0, 10) : "an impossible date";
}

/** `1A2B3C4D, valid until 2026-08-14`: enough to tell two certificates apart. */
export function leafText({ thumbprint, notAfter }: { readonly thumbprint: string; readonly notAfter: Instant }): string {
  return `${thumbprint.slice(0, 8)}, valid until ${dayText(notAfter)}`;
}

const UNITS: readonly (readonly [label: string, ms: number])[] = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1_000],
];

/** A span in its largest fitting unit: `3 days`, `1 hour`, `40 seconds`. */
export function spanText(ms: number): string {
  const [label, unit] = UNITS.find(([, size]) => Math.abs(ms) >= size) ?? (["second", 1_000] as const);
  const count = Math.floor(Math.abs(ms) / unit);
  return `${count} ${label}${count === 1 ? "" : "s"}`;
}
