/** The layer-4 front: sends a connection for a host name only to nodes that proved that name. */
export { startBalancer, type Balancer, type BalancerOptions } from "./start-balancer.ts";
export { balancerSettings, type BalancerSettings, type BalancerTuning } from "./settings.ts";
export type { BalancedName, BalancedNode, BalancerState } from "./state.ts";
export type { ListenerState } from "./listeners.ts";
export type { MemberHealth } from "./member.ts";
export type { Refusal } from "./connection.ts";
