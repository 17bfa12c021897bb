/** Does work for each item, `lanes` at a time, in the order they come; the first failure ends it. */
export async function inLanes<T>(items: Iterable<T> | AsyncIterable<T>, lanes: number, work: (item: T) => Promise<void>): Promise<void> {
  const source = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  let over = false;
  let turn: Promise<IteratorResult<T> | undefined> = Promise.resolve(undefined);
  const take = (): Promise<IteratorResult<T> | undefined> => {
    // One after the other: a generator is asked for its next item when it has given the last one.
    turn = turn.then(() => (over ? undefined : source.next()));
    return turn;
  };
  const lane = async (): Promise<void> => {
    try {
      for (let next = await take(); next !== undefined && next.done !== true; next = await take()) await work(next.value);
    } finally {
      over = true;
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: lanes }, lane));
  const failed = ended.find((one) => one.status === "rejected");
  if (failed === undefined) return;
  await source.return?.();
  throw failed.reason;
}
