import type { Rule } from "../rule.ts";
import { centralRowMissing } from "./central-row-missing.ts";
import { ipRowShadows } from "./ip-row-shadows.ts";

/** Every rule, in the order of their codes. `npm run new:rule CODE` adds one. */
export const RULES: readonly Rule[] = [centralRowMissing, ipRowShadows];
