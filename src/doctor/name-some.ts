const SHOWN = 3;

/** `a`, `a and b`, `a, b and c`, `a, b, c and 40 more`. */
export function nameSome(names: readonly string[], shown = SHOWN): string {
  if (names.length > shown) return `${names.slice(0, shown).join(", ")} and ${names.length - shown} more`;
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1) ?? ""}`;
}
