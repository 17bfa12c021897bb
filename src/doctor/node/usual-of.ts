/**
 * Of items that should be alike, those that most are like; among equally many, those with the greater weight, then the greater key, so that
 * the answer is the same every time.
 */
export function usualOf<T>(items: readonly T[], keyOf: (item: T) => string, weightOf: (item: T) => number = () => 0): readonly T[] {
  const groups = new Map<string, { key: string; items: T[]; weight: number }>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key) ?? { key, items: [], weight: 0 };
    group.items.push(item);
    group.weight += weightOf(item);
    groups.set(key, group);
  }
  const best = [...groups.values()].toSorted(
    (a, b) => b.items.length - a.items.length || b.weight - a.weight || (a.key > b.key ? -1 : 1),
  )[0];
  return best?.items ?? [];
}
