/** Use cases: what an operator does with a farm, over the store. */
export { createJudge } from "./judge-saved-file.ts";
