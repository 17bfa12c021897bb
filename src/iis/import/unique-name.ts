/** Gives every name once, whatever its case. */
export type UniqueNames = (wanted: string, fallback: string) => string;

const MAX_LENGTH = 63;

/**
 * A giver of names for farms, nodes, sites and folders: letters, digits, `.`, `-` and `_`, beginning and ending with a letter or digit, at most
 * 63 of them, no two that differ in case alone. What does not fit becomes `-`; what is taken gets a number.
 */
export function createUniqueNames(): UniqueNames {
  const taken = new Set<string>();
  /** The next number to try: a thousand sites may have one name. */
  const numbers = new Map<string, number>();
  return (wanted, fallback) => {
    const base = plainName(wanted, fallback);
    let name = base;
    for (let number = numbers.get(base) ?? 2; taken.has(name.toLowerCase()); number += 1) {
      const suffix = `-${number}`;
      name = `${base.slice(0, MAX_LENGTH - suffix.length)}${suffix}`;
      numbers.set(base, number + 1);
    }
    taken.add(name.toLowerCase());
    return name;
  };
}

/** Names that Windows gives to devices: they may not become folders. */
const DEVICE = /^(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|$)/i;

function plainName(wanted: string, fallback: string): string {
  const ascii = wanted.slice(0, 200).normalize("NFKD").replaceAll(/\p{M}/gu, "");
  const plain = trimmed(ascii.replaceAll(/[^A-Za-z0-9._-]+/g, "-").slice(0, MAX_LENGTH));
  if (plain === "") return fallback;
  return DEVICE.test(plain) ? `site-${plain}`.slice(0, MAX_LENGTH) : plain;
}

const trimmed = (text: string): string => text.replace(/^[._-]+/, "").replace(/[._-]+$/, "");
