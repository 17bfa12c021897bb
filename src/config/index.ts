/** farm.yaml: parse, check, index, diff, and what a change would do. Pure. */
export type {
  BalanceMode,
  BalancerConfig,
  ConfigProblem,
  ConfigReading,
  FarmConfig,
  Limits,
  NodeConfig,
  SiteConfig,
  SiteIndex,
  SiteService,
  TlsPolicy,
  TlsVersion,
} from "./types.ts";
export { formatProblems } from "./format-problems.ts";
export { parseFarmConfig } from "./parse-farm-config.ts";

export { farmSchema } from "./schema.ts";
export { bindingsOf, createSiteIndex, policyFor, servedPorts } from "./site-index.ts";
export { diffConfigs, type ConfigChange } from "./diff-configs.ts";
export { suggest } from "./suggest.ts";
export { textDiff, type DiffSide } from "./text-diff.ts";
export {
  planImpact,
  verdict,
  type ImpactChange,
  type ImpactHost,
  type ImpactInput,
  type ImpactPlan,
  type ImpactRow,
  type Served,
} from "./plan-impact.ts";
