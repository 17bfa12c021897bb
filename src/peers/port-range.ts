import { parsePort } from "../base/index.ts";

/** Ranges of ports are for a few, not for all there are. */
const MAX_RANGE = 1_000;

/** The ports of `443` or `8000-8010`; undefined for what is no range, or more than MAX_RANGE. */
export function parsePortRange(text: string): readonly number[] | undefined {
  const [first = "", last = first] = text.split("-");
  const [from, to] = [parsePort(first), parsePort(last)];
  if (from === undefined || to === undefined || to < from || to - from >= MAX_RANGE) return undefined;
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}
