import { FarmError } from "../base/index.ts";

/** Certain: nothing was written, since somebody else was first. */
export const isConflict = (error: unknown): boolean => error instanceof FarmError && error.code === "STORE_CONFLICT";

/** What was read is not what it should be: trying again does not help, writing anew may. */
export const isDamage = (error: unknown): boolean => error instanceof FarmError && error.code === "STORE_CORRUPT";

/** The store does not answer. */
export const isOutage = (error: unknown): boolean => error instanceof FarmError && error.code === "STORE_UNAVAILABLE";
