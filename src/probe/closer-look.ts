import type { Observation, ProbeKind, ProbeOutcome } from "../doctor/index.ts";
import type { LookTarget } from "./look-job.ts";

/** How closely the cells of a host are looked at after the base handshake. */
export type Level = "none" | "request" | "sample" | "closer";

/** What is known of a cell when that is decided. */
export interface BaseSight {
  readonly target: LookTarget;
  readonly sni: Observation;
}

/** Whether cells of one host differ or fail. Outcomes that are equal are the same object (OutcomeTable). */
export function isSuspicious(cells: readonly BaseSight[]): boolean {
  return cells.some(({ sni }) => !isHealthy(sni.outcome)) || new Set(cells.map(({ sni }) => sni.outcome)).size > 1;
}

const isHealthy = (outcome: ProbeOutcome): boolean => outcome.kind === "served" && outcome.verified === true;

/** What the cells of a host show, apart from which host it is: hosts with the same pattern most likely have the same cause. */
export function patternOf(cells: readonly BaseSight[]): string {
  const leaves: string[] = [];
  const shows = cells.map(({ target, sni: { outcome } }) => {
    const where = `${target.node} ${target.endpoint.address} ${target.endpoint.port}`;
    if (outcome.kind !== "served") return `${where} ${JSON.stringify(outcome)}`;
    if (!leaves.includes(outcome.sha256)) leaves.push(outcome.sha256);
    const { verified, protocol, alpn, chainLength, stapled } = outcome;
    return `${where} ${leaves.indexOf(outcome.sha256)} ${verified} ${protocol} ${alpn} ${chainLength} ${stapled}`;
  });
  return shows.join("\n");
}

const MANY_CLIENTS: readonly ProbeKind[] = ["tls12", "tls13", "rsa", "ecdsa", "h2", "trailing-dot"];

/**
 * The single handshakes of the deeper set that tell something about a cell. A request goes with `http11`; sessions are apart.
 * `beside` are all cells of the host.
 */
export function closerKinds({ target, sni: { outcome } }: BaseSight, beside: readonly BaseSight[]): readonly ProbeKind[] {
  switch (outcome.kind) {
    case "served":
      // Behind a balancer that fails, a node may lack the header or be sent one that it does not expect.
      return target.role === "node" && beside.some(failsThroughBalancer) ? [...MANY_CLIENTS, "proxy-header"] : MANY_CLIENTS;
    case "refused":
      return [];
    case "timeout":
      // Each of these waits as long as the first did.
      return outcome.during === "connect" ? [] : ["tls12", "proxy-header"];
    case "error":
      return outcome.speaks === "http" ? [] : [...MANY_CLIENTS, "http11", "proxy-header"];
    default:
      return [...MANY_CLIENTS, "http11", "proxy-header"];
  }
}

const failsThroughBalancer = ({ target, sni }: BaseSight): boolean =>
  target.role === "balancer" && !["served", "refused", "timeout"].includes(sni.outcome.kind);

/** Handshakes of a node's ill cell that tell a flake, and two machines behind one address, from a fault. */
const NODE_SAMPLES = 3;

/** How many more handshakes with SNI a cell gets. */
export function samplesOf({ target, sni: { outcome } }: BaseSight, level: Level, throughBalancer: number): number {
  if (level === "none" || outcome.kind === "timeout") return 0;
  if (target.role === "balancer") return throughBalancer;
  return level === "closer" ? NODE_SAMPLES : 0;
}
