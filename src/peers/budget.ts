import { invalid } from "./invalid.ts";
import { LIMITS } from "./limits.ts";

type Spent = "characters" | "files" | "bindings";

/** Counts what one configuration costs against LIMITS. */
export interface Budget {
  /** Spent before the thing itself is made. @throws PEER_CONFIG_INVALID when it is too much */
  readonly spend: (what: Spent, amount: number, place: { readonly path: string; readonly line: number }) => void;
}

/** A budget that nothing was spent of. */
export function createBudget(): Budget {
  const spent: Record<Spent, number> = { characters: 0, files: 0, bindings: 0 };
  return {
    spend: (what, amount, { path, line }) => {
      spent[what] += amount;
      if (spent[what] > LIMITS[what]) throw invalid(path, line, `the configuration has more than ${LIMITS[what]} ${what}`);
    },
  };
}
