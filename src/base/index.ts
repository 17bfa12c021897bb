/** The lowest room: errors, names, addresses, time, secrets and logs. */
export type { ErrorRow } from "./error-row.ts";
export { ERRORS, FarmError, systemCode, toFarmError, type ErrorCode, type Facts } from "./errors.ts";
export { instant, systemClock, type Clock, type Instant } from "./clock.ts";
export { Secret } from "./secret.ts";
export {
  parseHostName,
  parseHostPattern,
  patternCovers,
  requireHostName,
  toUnicodeHost,
  wildcardOf,
  type HostName,
  type HostPattern,
} from "./host-name.ts";
export {
  formatEndpoint,
  ipFamily,
  parseEndpoint,
  parseIpAddress,
  parsePort,
  requireEndpoint,
  type Endpoint,
  type IpAddress,
} from "./endpoint.ts";
export { createLog, silentLog, type Log, type LogLevel } from "./log.ts";
