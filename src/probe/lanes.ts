/** Something to do on a lane. */
export type Task = () => Promise<void>;

/** How much is done at once. */
export interface LaneLimits {
  readonly perLane: number;
  readonly inAll: number;
  /** When it aborts, no further task is begun. */
  readonly signal?: AbortSignal;
}

/**
 * Does the tasks of every lane in their order, each lane's as they come from its iterator, in turns among lanes.
 * Settles when all that were begun are over. @throws what the first task threw; no task is begun after that
 */
export function runLanes(lanes: readonly Iterable<Task>[], { perLane, inAll, signal }: LaneLimits): Promise<void> {
  const open = lanes.map((tasks) => ({ tasks: tasks[Symbol.iterator](), running: 0 }));
  let running = 0;
  let turn = 0;
  let failed: { readonly reason: unknown } | undefined;
  return new Promise((resolve, reject) => {
    const over = (lane: { running: number }): void => {
      lane.running -= 1;
      running -= 1;
      advance();
    };
    /** Begins one task; false when no lane has one that may begin now. */
    const beginOne = (): boolean => {
      for (let looked = 0; looked < open.length;) {
        const lane = open[turn % open.length];
        if (lane === undefined) return false;
        if (lane.running < perLane) {
          const next = lane.tasks.next();
          if (next.done === true) {
            open.splice(turn % open.length, 1);
            continue;
          }
          turn += 1;
          lane.running += 1;
          running += 1;
          next.value().then(
            () => over(lane),
            (reason: unknown) => {
              failed ??= { reason };
              over(lane);
            },
          );
          return true;
        }
        turn += 1;
        looked += 1;
      }
      return false;
    };
    const mayBegin = (): boolean => running < inAll && failed === undefined && signal?.aborted !== true;
    const advance = (): void => {
      let more = true;
      while (more) more = mayBegin() && beginOne();
      if (running > 0) return;
      if (failed === undefined) resolve();
      else reject(failed.reason);
    };
    advance();
  });
}
