import { formatEndpoint, type Endpoint, type HostName } from "../base/index.ts";
import type { LookPlan } from "./look-plan.ts";

/** An endpoint that is dialled. */
export interface LookTarget {
  readonly node: string;
  readonly role: "node" | "balancer";
  readonly endpoint: Endpoint;
}

/** A host that is dialled; `number` is its place in the plan. */
export interface LookHost {
  readonly number: number;
  readonly name: HostName;
  /** Nodes that are dialled for it besides balancers; absent = all. */
  readonly nodes?: readonly string[];
}

/** What one thread does: plain data that can be sent to it. */
export interface LookJob {
  readonly targets: readonly LookTarget[];
  readonly hosts: readonly LookHost[];
  readonly deep: boolean;
  /** Absent = the system's roots. */
  readonly ca?: readonly string[];
  readonly samples: number;
  readonly timeoutMs: number;
  readonly request: { readonly method: "GET" | "HEAD"; readonly path: string };
  readonly perEndpoint: number;
  readonly inAll: number;
  /** Whether this job also dials what does not depend on a host. */
  readonly endpointProbes: boolean;
  /** Whether every cell gets a request. */
  readonly requestAll: boolean;
  /** How many hosts that show the same pattern get the deeper set. */
  readonly closerPerPattern: number;
}

/** A plan of so many cells is small: every cell gets a request. */
const SMALL = 256;
const CLOSER_PER_PATTERN = 8;

/** The whole plan as one job, every endpoint and host once. */
export function jobOf(plan: LookPlan): LookJob {
  const targets = targetsOf(plan);
  const names = [...new Map(plan.hosts.map((host) => [host.name, host])).values()];
  const hosts = names.map(({ name, nodes }, number) => ({ number, name, ...(nodes === undefined ? {} : { nodes }) }));
  return {
    targets,
    hosts,
    deep: plan.deep ?? false,
    ...(plan.ca === undefined ? {} : { ca: plan.ca }),
    samples: plan.samples ?? 8,
    timeoutMs: plan.timeoutMs ?? 5_000,
    request: plan.request ?? { method: "GET", path: "/" },
    perEndpoint: Math.max(1, plan.perEndpoint ?? 16),
    inAll: Math.max(1, plan.inAll ?? 128),
    endpointProbes: true,
    requestAll: plan.deep === true || targets.length * hosts.length <= SMALL,
    closerPerPattern: CLOSER_PER_PATTERN,
  };
}

function targetsOf({ nodes }: LookPlan): readonly LookTarget[] {
  return nodes.flatMap(({ name: node, role, endpoints }) => {
    const once = new Map(endpoints.map((endpoint) => [formatEndpoint(endpoint), endpoint]));
    return [...once.values()].map((endpoint) => ({ node, role, endpoint }));
  });
}

/** Whether a host is dialled on a target. */
export const isMeant = ({ nodes }: LookHost, { node, role }: LookTarget): boolean => role === "balancer" || (nodes?.includes(node) ?? true);

/** The job in parts of about the same work, each within its share of the limits. */
export function splitJob(job: LookJob, parts: number): readonly LookJob[] {
  const share = (limit: number): number => Math.max(1, Math.floor(limit / parts));
  return Array.from({ length: parts }, (_, part) => ({
    ...job,
    hosts: job.hosts.filter(({ number }) => number % parts === part),
    perEndpoint: share(job.perEndpoint),
    inAll: share(job.inAll),
    endpointProbes: part === 0,
    closerPerPattern: Math.max(2, Math.ceil(job.closerPerPattern / parts)),
  }));
}
