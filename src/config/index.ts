/**
 * farm.yaml: check, index, diff, and what a change would do. Pure. Parsing has a door of its own, parse-farm-config.ts: its libraries are large,
 * and nodes parse in a thread of its own.
 */
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
export { bindingsOf, createSiteIndex, policyFor, servedPorts } from "./site-index.ts";
export { diffConfigs, type ConfigChange } from "./diff-configs.ts";
export { suggest } from "./suggest.ts";
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
