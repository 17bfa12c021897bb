/** More than this is no configuration of a server, or one that was written to keep a reader busy. */
export const LIMITS = {
  /** Characters of all files together. */
  characters: 32 * 1024 * 1024,
  files: 2_000,
  /** Includes within includes. */
  includes: 16,
  /** Blocks within blocks. */
  blocks: 64,
  /** Places of a `listen` or `bind`, names at them, and certificates for them. */
  bindings: 400_000,
  notes: 1_000,
} as const;
