import { setTimeout as sleep } from "node:timers/promises";

import type { Clock, Endpoint, HostName, Instant } from "../../base/index.ts";
import type { FarmConfig } from "../../config/index.ts";
import { describeOutcome } from "../../doctor/index.ts";
import { probeTls } from "../../probe/index.ts";
import { lookAtBalancer } from "../balancer-view.ts";
import { endpointsOf } from "../look/farm-targets.ts";

/** What clients met while a drill began. */
export interface Watched {
  readonly noticedAt?: Instant;
  readonly clients?: Clients;
}

/** Handshakes through the balancer. */
export interface Clients {
  readonly dialled: number;
  readonly failed: number;
  /** How the first one failed. */
  readonly first?: string;
  /** When the last one began that failed. */
  readonly lastAt?: Instant;
}

/** What is watched. */
export interface WatchQuestion {
  readonly clock: Clock;
  readonly config: FarmConfig;
  readonly node: string;
  readonly host: HostName;
  readonly port: number;
  /** How long at most. */
  readonly forMs: number;
  readonly signal: AbortSignal;
  /** When the node says that it noticed; undefined = not yet. */
  readonly noticed: () => Promise<Instant | undefined>;
}

const DIAL_EVERY_MS = 50;
const LOOK_EVERY_MS = 40;
const HANDSHAKE_MS = 3_000;
/** What clients meet after it was noticed matters as much as before. */
const AFTER_MS = 1_000;

/** Dials the host through the balancer as clients do, until the node was left out for a second or the time is over. */
export async function watchClients(question: WatchQuestion): Promise<Watched> {
  const { clock, forMs, signal } = question;
  const endMs = clock.monotonicMs() + forMs;
  const over = new AbortController();
  const stop = AbortSignal.any([over.signal, signal]);
  const dialling = dialOften(question, stop);
  let noticedAt: Instant | undefined;
  while (noticedAt === undefined && clock.monotonicMs() < endMs && !signal.aborted) {
    noticedAt = await whenNoticed(question);
    const left = noticedAt === undefined ? LOOK_EVERY_MS : Math.max(0, Math.min(AFTER_MS, endMs - clock.monotonicMs()));
    await sleep(left, undefined, { signal }).catch(() => undefined);
  }
  over.abort();
  const clients = await dialling;
  return { ...(noticedAt === undefined ? {} : { noticedAt }), ...(clients === undefined ? {} : { clients }) };
}

/** When the balancer left the node out for the host; without a balancer, when the node's own proof failed. */
async function whenNoticed({ clock, config, node, host, port, noticed }: WatchQuestion): Promise<Instant | undefined> {
  if (config.balancer === undefined) return noticed().catch(() => undefined);
  const view = await lookAtBalancer(config.balancer.health);
  if (view.kind !== "answers") return undefined;
  const isOut =
    view.nodes.some(({ name, inRotation }) => name === node && !inRotation) ||
    view.names.some((one) => one.host === host && one.port === port && one.failedBy.includes(node));
  return isOut ? clock.now() : undefined;
}

async function dialOften({ clock, config, host, port }: WatchQuestion, stop: AbortSignal): Promise<Clients | undefined> {
  const target = balancerEndpoint(config, port);
  if (target === undefined) return undefined;
  let dialled = 0;
  let failed = 0;
  let first: string | undefined;
  let lastAt: Instant | undefined;
  while (!stop.aborted) {
    const begunAt = clock.now();
    const { outcome } = await probeTls({ clock, target, host, alpn: ["h2", "http/1.1"], timeoutMs: HANDSHAKE_MS, verify: false });
    const problem = outcome.kind !== "served" ? describeOutcome(outcome) : wrongFor(outcome, clock.now());
    dialled += 1;
    if (problem !== undefined) {
      failed += 1;
      first ??= problem;
      lastAt = begunAt;
    }
    await sleep(DIAL_EVERY_MS, undefined, { signal: stop }).catch(() => undefined);
  }
  return { dialled, failed, ...(first === undefined ? {} : { first }), ...(lastAt === undefined ? {} : { lastAt }) };
}

function wrongFor({ notAfter }: { readonly notAfter: Instant }, now: Instant): string | undefined {
  return notAfter <= now ? "an expired certificate" : undefined;
}

/** Where clients reach the balancer; undefined = the farm has none. */
function balancerEndpoint({ balancer }: FarmConfig, port: number): Endpoint | undefined {
  if (balancer === undefined) return undefined;
  return endpointsOf({ ...balancer, name: "balancer", reconcile: "mend", weight: 1 }, port)[0];
}
