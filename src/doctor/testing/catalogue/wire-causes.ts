import type { CatalogueRow } from "./catalogue-row.ts";

/** Causes that rules of tier "wire" name: what can be told from outside. */
export const WIRE_CAUSES: readonly CatalogueRow[] = [];
