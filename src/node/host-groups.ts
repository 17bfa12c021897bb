import { crc32 } from "node:zlib";

import type { Clock } from "../base/index.ts";

/** One of `of` groups that a port's host names fall into. */
export interface HostGroup {
  readonly index: number;
  readonly of: number;
}

/** Asked by balancers that have more hosts than they can check one by one. */
export interface HostGroups {
  /** Names of the group that are not proved; at most SHOWN. */
  unproved(group: HostGroup, port: number): readonly string[];
}

const MAX_GROUPS = 1_024;
const SHOWN = 20;
/** Every group of a port is asked about once a second: they share one look at all names. */
const KEPT_MS = 250;
const MAX_PORTS = 16;

/** `3/64`: the fourth of 64 groups. */
export function parseHostGroup(text: string): HostGroup | undefined {
  const [, index, of] = /^(\d{1,4})\/(\d{1,4})$/.exec(text) ?? [];
  const group = { index: Number(index ?? "NaN"), of: Number(of ?? "NaN") };
  return group.of >= 1 && group.of <= MAX_GROUPS && group.index < group.of ? group : undefined;
}

/** Whether a name as bound (`*.example.com` for a wildcard) is in the group: its CRC-32 (IEEE 802.3, as HAProxy's `crc32`) decides. */
const isIn = (name: string, { index, of }: HostGroup): boolean => crc32(name) % of === index;

/** Groups over what is not proved now. */
export function createHostGroups(clock: Clock, unproved: (port: number) => readonly string[]): HostGroups {
  const kept = new Map<number, { readonly atMs: number; readonly names: readonly string[] }>();
  const look = (port: number): readonly string[] => {
    const now = clock.monotonicMs();
    const last = kept.get(port);
    if (last !== undefined && now - last.atMs < KEPT_MS) return last.names;
    if (kept.size >= MAX_PORTS) kept.clear();
    const names = unproved(port);
    kept.set(port, { atMs: now, names });
    return names;
  };
  return {
    unproved: (group, port) =>
      look(port)
        .filter((name) => isIn(name, group))
        .slice(0, SHOWN),
  };
}
