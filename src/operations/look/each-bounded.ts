/** Calls `task` for each item, at most `width` at a time, and gives the answers in the order of the items. */
export async function eachBounded<T, R>(items: readonly T[], width: number, task: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results = new Map<number, R>();
  const rest = items.entries();
  const lane = async (): Promise<void> => {
    for (const [at, item] of rest) results.set(at, await task(item));
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, lane));
  return [...results].sort(([a], [b]) => a - b).map(([, result]) => result);
}
