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
