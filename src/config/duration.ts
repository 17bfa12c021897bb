const DURATION_UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
  y: 31_536_000_000,
};

const SIZE_UNITS: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1_000,
  KB: 1_000,
  MB: 1_000_000,
  GB: 1_000_000_000,
  KiB: 1_024,
  MiB: 1_048_576,
  GiB: 1_073_741_824,
};

/** A whole number, at most 12 digits, and a unit right behind it. */
function parseQuantity(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const match = /^(0|[1-9]\d{0,11})([A-Za-z]{1,3})$/.exec(text);
  if (match === null || !Object.hasOwn(units, match[2] ?? "")) return undefined;
  const value = Number(match[1]) * (units[match[2] ?? ""] ?? Number.NaN);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** `250ms`, `30s`, `5m`, `12h`, `7d`, `2w`, `1y` (365 days) in milliseconds; undefined for anything else. */
export const parseDuration = (text: string): number | undefined => parseQuantity(text, DURATION_UNITS);

/** `512B`, `10MB` (powers of 1000), `64KiB` (powers of 1024) in octets; undefined for anything else. */
export const parseSize = (text: string): number | undefined => parseQuantity(text, SIZE_UNITS);

/** Milliseconds in the largest unit that takes them whole: `90s`, `2m`. */
export function formatDuration(ms: number): string {
  for (const unit of ["y", "w", "d", "h", "m", "s"]) {
    const size = DURATION_UNITS[unit] ?? 1;
    if (ms >= size && ms % size === 0) return `${ms / size}${unit}`;
  }
  return `${ms}ms`;
}

/** Octets in the largest unit that takes them whole: `64KiB`, `10MB`. */
export function formatSize(bytes: number): string {
  for (const unit of ["GiB", "GB", "MiB", "MB", "KiB", "kB"]) {
    const size = SIZE_UNITS[unit] ?? 1;
    if (bytes >= size && bytes % size === 0) return `${bytes / size}${unit}`;
  }
  return `${bytes}B`;
}
