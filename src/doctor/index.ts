export type { Observation, ProbeOutcome } from "./observation.ts";
