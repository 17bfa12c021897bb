import type { Clock } from "../base/index.ts";
import type { Cell, ExaminedHost, ExaminedNode, Gap } from "../doctor/index.ts";

/** What is to be dialled, and how hard. */
export interface LookPlan {
  readonly nodes: readonly ExaminedNode[];
  /** A host with `nodes` is dialled on those nodes only, and on every balancer. */
  readonly hosts: readonly ExaminedHost[];
  /** The deeper set for every cell. @default false: where cells of a host differ or fail */
  readonly deep?: boolean;
  /** PEM texts of the only roots to trust. @default Node's own and those of the system */
  readonly ca?: readonly string[];
  /** More handshakes of each host through each balancer. @default 8 */
  readonly samples?: number;
  /** For connect and handshake of one probe together, and for one request. @default 5,000 */
  readonly timeoutMs?: number;
  /** What the one request asks for. @default GET / */
  readonly request?: { readonly method: "GET" | "HEAD"; readonly path: string };
  /** Connections at once to one endpoint. @default 16 */
  readonly perEndpoint?: number;
  /** Connections at once to all of them. @default 128 */
  readonly inAll?: number;
  /** How many threads dial. @default one a processor for thousands of cells; fewer are dialled by the calling thread */
  readonly threads?: number;
  /** The compiled entry of a thread. @default look-worker.js beside this file, or in dist/ when running from sources */
  readonly entry?: URL;
}

/** How the caller follows and stops a look around. */
export interface LookControl {
  readonly clock: Clock;
  /** When it aborts, what is known so far is the answer; nothing is thrown. */
  readonly signal?: AbortSignal;
  /** Dials that are done, and that are wanted as far as is known: `total` grows when something asks for a closer look. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
}

/** What was seen. */
export interface LookResult {
  /** By node, endpoint and host, in the plan's order. Those that nothing was seen of are left out: a gap says why. */
  readonly cells: readonly Cell[];
  /** Endpoints that were given up, and that the caller stopped it before the end. */
  readonly gaps: readonly Gap[];
  /** What certificates were verified against, in words. */
  readonly roots: string;
}
