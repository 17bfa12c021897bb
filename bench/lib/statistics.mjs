/** The value below which `part` (0 to 1) of the values lie. */
export function quantile(values, part) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
}

export const median = (values) => quantile(values, 0.5);

export const round = (value, digits = 2) => Number(value.toFixed(digits));
