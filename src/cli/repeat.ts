const EVERY_MS = 1_000;

/** Does something at once and again a second after it is done, until the signal aborts. */
export async function repeat(signal: AbortSignal, once: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    await once();
    await new Promise<void>((resolve) => {
      const timer = setTimeout(done, EVERY_MS);
      signal.addEventListener("abort", done, { once: true });
      function done(): void {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        resolve();
      }
    });
  }
}
