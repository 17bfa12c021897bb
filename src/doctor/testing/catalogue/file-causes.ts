import type { CatalogueRow } from "./catalogue-row.ts";

/** Causes that rules of tier "host" name: files, certificates, names. */
export const FILE_CAUSES: readonly CatalogueRow[] = [];
