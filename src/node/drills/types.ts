import type { Instant } from "../../base/index.ts";

/** Faults that a node can be told to have. The names are public API. */
export const DRILL_NAMES = [
  "central-row-missing",
  "chain-incomplete",
  "clock-skew",
  "expired",
  "ip-row-shadows",
  "node-dead",
  "plain-http-on-tls-port",
  "proxy-protocol-mismatch",
  "stale-certificate",
  "store-gone",
  "ticket-keys-differ",
  "torn-config",
  "wildcard-depth",
  "wrong-password",
] as const;

/** One of them. */
export type DrillName = (typeof DRILL_NAMES)[number];

/** What a node is told to do wrong. */
export interface DrillOrder {
  /** Names this drill in the farm's journal. */
  readonly id: string;
  readonly drill: DrillName;
  /** The host that the drill is about. */
  readonly host: string;
  readonly port: number;
  /** When it ends by itself. */
  readonly forMs: number;
}

/** A drill of this node, running or over. Times are those of the machine, also while the node's clock is made to differ. */
export interface DrillState extends DrillOrder {
  readonly startedAt: Instant;
  /** What was done, in a sentence. */
  readonly did: string;
  /** When the node's proof of the host failed for the first time; the balancer is told at once. */
  readonly noticedAt?: Instant;
  readonly endedAt?: Instant;
  /** Why: `stopped`, `its time was over`, `resync certificates`, `the table was edited`, `the node ended`. */
  readonly endedBy?: string;
  /** When the host was proved for the first time since it ended. */
  readonly mendedAt?: Instant;
}
