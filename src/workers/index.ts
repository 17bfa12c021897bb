/** Threads for work that is rare, slow or brings a large library. */
export { compiledEntry, runOnce } from "./run-once.ts";
export { yieldToServing } from "./yield-to-serving.ts";
