import { setTimeout as pause } from "node:timers/promises";

import { until } from "../farm/until.ts";
import type { FaultFarm } from "./fault-farm.ts";
import { judge, type Excuse, type Moments, type Verdict } from "./judge.ts";
import { BALANCER_HOSTS } from "./network.ts";
import { machineMs } from "./load/start-load.ts";

/** One thing that goes wrong, under load. */
export interface Fault {
  /** A sentence's beginning, as a row of the table. */
  readonly name: string;
  /** Also in the short selection. */
  readonly short?: boolean;
  /** How long it stays, in seconds: in the full run, and in the short one. */
  readonly seconds: readonly [full: number, short: number];
  readonly excuse: Excuse;
  /** In words, for the table. */
  readonly mayFail: string;
  /** How many failures the excuse covers at most; a number of clients or nothing. */
  readonly atMost?: (farm: FaultFarm) => number;
  /** Brings it about and resolves when it is in place. @returns what ends it */
  begin(farm: FaultFarm): Promise<(() => void | Promise<void>) | void>;
  /** Checks while it lasts. */
  during?(farm: FaultFarm): Promise<void>;
}

/** What was seen of a fault. */
export interface Seen extends Verdict {
  readonly name: string;
  readonly mayFail: string;
  readonly moments: Moments;
  readonly lastedMs: number;
  readonly recoveryMs: number;
}

/** The bar of the issue: everything is proved this soon after a fault's end. */
export const RECOVERY_MS = 15_000;

/** Every client is answered through the balancer that it prefers. */
async function calm(farm: FaultFarm): Promise<void> {
  farm.load.anew();
  const startMs = machineMs();
  const served = (balancer: string): number =>
    new Set(farm.load.records.filter(({ s, b, x }) => s > startMs && b === balancer && x === undefined).map(({ c }) => c)).size;
  while (BALANCER_HOSTS.some((balancer) => served(balancer) < farm.clients / BALANCER_HOSTS.length)) await farm.load.requests(1);
}

/** Plays one fault: calm, fault, end, proved again. @throws when the farm is not proved again within five times RECOVERY_MS */
export async function play(farm: FaultFarm, fault: Fault, isShort: boolean): Promise<Seen> {
  await calm(farm);
  const beganMs = machineMs();
  const end = await fault.begin(farm);
  const inPlaceMs = machineMs();
  await fault.during?.(farm);
  const staysMs = fault.seconds[isShort ? 1 : 0] * 1000;
  await pause(Math.max(0, inPlaceMs + staysMs - machineMs())); // how long the fault stays is what is tested
  await end?.();
  const healedMs = machineMs();
  const proved = async (): Promise<true> => {
    const problem = await farm.notProved();
    if (problem !== undefined) throw new Error(problem);
    return true;
  };
  await until(proved, { what: "everything is proved again", deadlineMs: 5 * RECOVERY_MS, everyMs: 100 });
  const provedMs = machineMs();
  await allEnded(farm, provedMs);
  const moments = { beganMs, inPlaceMs, healedMs, provedMs };
  const verdict = judge(farm.load.records, {
    moments,
    excuse: fault.excuse,
    issued: farm.store.issued,
  });
  const { name, mayFail } = fault;
  return { ...verdict, name, mayFail, moments, lastedMs: healedMs - beganMs, recoveryMs: provedMs - healedMs };
}

/** Until every client has ended the request that it had under way at that moment. */
async function allEnded(farm: FaultFarm, atMs: number): Promise<void> {
  const later = (): number => new Set(farm.load.records.filter(({ s }) => s > atMs).map(({ c }) => c)).size;
  while (later() < farm.clients) await farm.load.requests(1);
}
