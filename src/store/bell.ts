/** Wakes waiters. Rings that nobody waits for are remembered once, never counted: memory stays bounded. */
export interface Bell {
  ring(): void;
  /** Resolves true at a ring (also one since the last wait), false when the time is over or the signal aborts. */
  wait(signal: AbortSignal, timeoutMs?: number): Promise<boolean>;
}

/** A bell for one waiter at a time. */
export function createBell(): Bell {
  let rung = false;
  let wake: ((rang: boolean) => void) | undefined;
  return {
    ring() {
      rung = true;
      wake?.(true);
    },
    wait(signal, timeoutMs) {
      if (rung || signal.aborted) return Promise.resolve(takeRing(!signal.aborted));
      return new Promise<boolean>((resolve) => {
        const onAbort = (): void => wake?.(false);
        // Not unref'd: an awaited wait must not let the process end silently; it ends by its signal.
        const timer = timeoutMs === undefined ? undefined : setTimeout(() => wake?.(false), timeoutMs);
        wake = (rang) => {
          wake = undefined;
          clearTimeout(timer);
          signal.removeEventListener("abort", onAbort);
          resolve(takeRing(rang));
        };
        signal.addEventListener("abort", onAbort, { once: true });
      });
    },
  };
  function takeRing(rang: boolean): boolean {
    rung = false;
    return rang;
  }
}

/** Resolves after a time or at the abort, whichever is first; never rejects. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await createBell().wait(signal, ms);
}
