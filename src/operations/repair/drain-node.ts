import { setTimeout as sleep } from "node:timers/promises";

import { FarmError } from "../../base/index.ts";
import { createDrains, type Drains } from "../../replica/index.ts";
import { lookAtBalancer } from "../balancer-view.ts";
import type { OperationsParts } from "../parts.ts";
import type { FarmView } from "../present-farm.ts";

/** Takes nodes out of the balancer's choice and puts them back. */
export interface Drainer {
  /** True when somebody else had drained it already. */
  isDrained(node: string): Promise<boolean>;
  /** Settles when the node has no place in the balancer's rotation any more. @throws REPAIR_DRAIN_FAILED */
  drain(node: string, by: string): Promise<void>;
  undrain(node: string): Promise<void>;
}

const WAIT_MS = 8_000;
const LOOK_EVERY_MS = 100;

/** Over the farm's drains and its balancer; open connections go on, as a repair changes new handshakes only. */
export function createDrainer(parts: OperationsParts, farm: FarmView): Drainer {
  const drains: Drains = createDrains(parts.store, parts);
  return {
    isDrained: async (node) => (await drains.list()).some((drain) => drain.node === node),
    async drain(node, by) {
      await drains.set(node, by);
      await awaitOutOfRotation(parts, farm, node);
    },
    undrain: (node) => drains.unset(node),
  };
}

async function awaitOutOfRotation({ clock }: OperationsParts, farm: FarmView, node: string): Promise<void> {
  const { config } = await farm.present();
  const untilMs = clock.monotonicMs() + WAIT_MS;
  for (;;) {
    const balancer = await lookAtBalancer(config?.balancer?.health);
    // Without a balancer, or with one that does not answer, nobody sends clients by it.
    if (balancer.kind !== "answers") return;
    if (balancer.nodes.find(({ name }) => name === node)?.inRotation !== true) return;
    if (clock.monotonicMs() >= untilMs)
      throw new FarmError("REPAIR_DRAIN_FAILED", `${node} is in the balancer's rotation ${WAIT_MS / 1000} s after it was drained`);
    await sleep(LOOK_EVERY_MS);
  }
}
