export const sorted = (values) => [...values].sort((a, b) => a - b);

export const median = (values) => quantile(values, 0.5);

/** The value below which `part` of the values lie. */
export function quantile(values, part) {
  const all = sorted(values);
  return all[Math.min(all.length - 1, Math.floor(all.length * part))];
}

export const round = (value, digits = 2) => Number(value.toFixed(digits));
