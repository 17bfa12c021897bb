import type { Symbols } from "./symbols.ts";
import type { Paint } from "./text.ts";

/** How text is made up for where it goes. */
export interface Look {
  readonly paint: Paint;
  readonly symbols: Symbols;
  /** Columns to keep to; undefined = not a terminal. */
  readonly columns: number | undefined;
}
