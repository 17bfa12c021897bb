/** The first item of a stream for which `test` holds; fails the test's time-out otherwise. */
export async function firstWhere<T>(stream: AsyncIterable<T>, test: (item: T) => boolean): Promise<T> {
  for await (const item of stream) if (test(item)) return item;
  throw new Error("the stream ended before that");
}

/** Looks every 10 ms until `look` gives something. For states that no event tells. */
export async function eventually<T>(look: () => Promise<T | undefined> | T | undefined, withinMs = 8_000): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const seen = await look();
    if (seen !== undefined) return seen;
    if (performance.now() > deadline) throw new Error("it did not happen in time");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
