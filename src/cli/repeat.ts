const EVERY_MS = 1_000;

/** Does something at once and again a second (or `everyMs`) after it is done, until the signal aborts. */
export async function repeat(signal: AbortSignal, once: () => Promise<void>, everyMs = EVERY_MS): Promise<void> {
  while (!signal.aborted) {
    await once();
    if (signal.aborted) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(done, everyMs);
      signal.addEventListener("abort", done, { once: true });
      function done(): void {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        resolve();
      }
    });
  }
}
