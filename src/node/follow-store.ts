import { toFarmError } from "../base/index.ts";
import { createDrains, createDuties, createRequests, type RequestHandler } from "../replica/index.ts";
import type { NodeParts, NodeSettings } from "./open-parts.ts";
import type { Reconciler } from "./reconciler.ts";

/** What following the store acts on. */
export interface StoreFollower {
  readonly reconciler: Reconciler;
  readonly answer: RequestHandler;
  readonly drained: (drained: boolean) => void;
  /** Whether every port is open that should be. */
  readonly listening: () => boolean;
}

const RESYNC_MS = 30_000;
const LISTEN_RETRY_MS = 1_000;

/**
 * Follows everything a node takes from the store until the signal aborts: revisions, ticket keys, content, drains, requests; and does
 * the farm's common duties when it is this node's turn. A store that is gone stops none of it.
 */
export function followStore(settings: NodeSettings, parts: NodeParts, follower: StoreFollower, signal: AbortSignal): void {
  const { store, name, log, signing } = settings;
  const { clock, drilled, requestRefusals: refusals } = parts;
  // The farm's common duties are nothing that a drill of one node may touch, nor is what ends a drill.
  const farmClock = drilled?.clock ?? clock;
  const loops: (() => Promise<void>)[] = [
    async () => {
      for await (const revision of parts.revisions.watch(signal)) {
        follower.reconciler.offer(revision);
        await follower.reconciler.reconcile();
      }
    },
    async () => {
      for await (const ticketKeys of parts.tickets.watch(signal)) parts.serving.update({ ticketKeys });
    },
    async () => {
      for await (const nodes of createDrains(store, { clock, signing }).watch(signal)) follower.drained(nodes.has(name));
    },
    () => parts.content.watch(signal),
    () => createRequests(store, { clock: farmClock, log, signing, refusals }).serve(name, follower.answer, signal),
  ];
  const duties = createDuties({ store, node: name, log, clock: farmClock, judge: settings.judge, ...rotation(settings) });
  // What the duties write must be signed by an admin where there are identities.
  if (signing === undefined) loops.push(() => duties.run(signal));
  for (const loop of loops) {
    loop().catch((error: unknown) => {
      if (!signal.aborted) log.error("a part of the node ended", { problem: toFarmError(error).message });
    });
  }
  resync(follower, signal);
}

/** Looks at everything again without any event: soon while a listener is not open (another process may free its port), else now and then. */
function resync({ reconciler, listening }: StoreFollower, signal: AbortSignal): void {
  let timer: NodeJS.Timeout | undefined;
  const arm = (): void => {
    if (signal.aborted) return;
    timer = setTimeout(() => void reconciler.reconcile().finally(arm), listening() ? RESYNC_MS : LISTEN_RETRY_MS);
    timer.unref();
  };
  arm();
  signal.addEventListener("abort", () => clearTimeout(timer), { once: true });
}

const rotation = (settings: NodeSettings): { rotateTicketsEveryMs?: number } =>
  settings.rotateTicketsEveryMs === undefined ? {} : { rotateTicketsEveryMs: settings.rotateTicketsEveryMs };
