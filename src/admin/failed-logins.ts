import { LRUCache } from "lru-cache";

import { FarmError, parseIpAddress, type Clock } from "../base/index.ts";

/** Counts failed log-ins of each address. */
export interface FailedLogins {
  /** @throws ADMIN_TOO_MANY_FAILURES while an address has failed too often */
  check(address: string): void;
  note(address: string): void;
}

/** Failed log-ins that an address may have in a window. */
const MOST = 10;
const WINDOW_MS = 60_000;
const MAX_ADDRESSES = 10_000;

/** Failed log-ins by address, an IPv6 address by its first 64 bits: those who change the rest are one. Bounded: the oldest are forgotten. */
export function createFailedLogins(clock: Pick<Clock, "monotonicMs">): FailedLogins {
  const failures = new LRUCache<string, { count: number; readonly untilMs: number }>({ max: MAX_ADDRESSES });
  const present = (key: string): { count: number; readonly untilMs: number } | undefined => {
    const found = failures.get(key);
    return found === undefined || found.untilMs <= clock.monotonicMs() ? undefined : found;
  };
  return {
    check(address) {
      const found = present(networkOf(address));
      if (found === undefined || found.count < MOST) return;
      const seconds = Math.ceil((found.untilMs - clock.monotonicMs()) / 1_000);
      throw new FarmError("ADMIN_TOO_MANY_FAILURES", `${address} presented ${MOST} wrong tokens; the next is looked at in ${seconds} s`, {
        facts: { address, retryAfterSeconds: seconds },
      });
    },
    note(address) {
      const key = networkOf(address);
      const found = present(key);
      if (found === undefined) failures.set(key, { count: 1, untilMs: clock.monotonicMs() + WINDOW_MS });
      else found.count += 1;
    },
  };
}

function networkOf(text: string): string {
  const address = parseIpAddress(text);
  if (address === undefined || !address.includes(":")) return address ?? "unknown";
  const [head = "", tail] = address.split("::");
  const front = head === "" ? [] : head.split(":");
  const back = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - front.length - back.length }, () => "0");
  return [...front, ...zeros, ...back].slice(0, 4).join(":");
}
