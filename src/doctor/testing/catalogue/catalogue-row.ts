import type { Script } from "../examination.ts";

/** A cause of the catalogue, as an examination that shows it. With every rule, its first finding must be the cause. */
export interface CatalogueRow {
  /** Number of the cause in the catalogue. A cause may have several rows: one for each way to see it. */
  readonly cause: number;
  /** The test's name: what is wrong, and by what evidence it is seen. */
  readonly name: string;
  readonly script: Script;
  /** Code of the first finding. */
  readonly first: string;
  /** The nodes that the first finding must name, when only some of them are ill. */
  readonly nodes?: readonly string[];
}
