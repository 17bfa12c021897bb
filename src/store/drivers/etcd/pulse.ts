import type { Clock } from "../../../base/index.ts";
import type { Gateway } from "./gateway.ts";
import { memberName, type EtcdMember } from "./url.ts";

/** Told of a member's signs of life. */
export interface PulseListener {
  onBeat(): void;
  onSilence(): void;
}

/** Asks the members that carry watches whether they still speak for the cluster: a quiet watch and a dead one look alike. */
export interface Pulse {
  /** Returns what ends it. */
  follow(member: EtcdMember, listener: PulseListener): () => void;
  close(): void;
}

/** One small request when a member has not answered anything for this long, for all watches at it. */
const BEAT_MS = 3000;
/** How often it is looked whether that is so. */
const TICK_MS = 500;
/** All together less than 6 s, within which silence is told. */
const SILENT_MS = 2300;

/** The pulse of one handle. */
export function createPulse(gateway: Gateway, clock: Clock): Pulse {
  const followed = new Map<EtcdMember, Set<PulseListener>>();
  const asking = new Set<EtcdMember>();
  const timer = setInterval(() => {
    for (const member of followed.keys()) if (!asking.has(member)) void look(member);
  }, TICK_MS);
  timer.unref();

  async function look(member: EtcdMember): Promise<void> {
    // Any other call that it answered says as much.
    const isKnown = clock.monotonicMs() - gateway.answeredMs(member) < BEAT_MS;
    asking.add(member);
    const alive = isKnown || (await gateway.isAlive(member, SILENT_MS).catch(() => false));
    asking.delete(member);
    if (!alive) gateway.leave(member, `${memberName(member)} does not answer for the cluster within ${SILENT_MS} ms`);
    for (const listener of followed.get(member) ?? []) {
      if (alive) listener.onBeat();
      else listener.onSilence();
    }
  }
  return {
    follow(member, listener) {
      const listeners = followed.get(member) ?? new Set();
      followed.set(member, listeners.add(listener));
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0) followed.delete(member);
      };
    },
    close: () => clearInterval(timer),
  };
}
