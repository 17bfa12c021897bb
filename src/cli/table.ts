import { displayWidth, fit, pad, type Paint } from "./text.ts";

const GAP = "  ";
const LEAST = 8;

/**
 * Rows under a head, aligned by display width. With a width to keep to, the widest columns give way first, down to eight characters.
 * Ends in a newline.
 */
export function formatTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  look: { readonly paint: Paint; readonly columns: number | undefined },
): string {
  const natural = head.map((title, at) => rows.reduce((widest, row) => Math.max(widest, displayWidth(row[at] ?? "")), displayWidth(title)));
  const widths = look.columns === undefined ? natural : shrink(natural, look.columns);
  const line = (cells: readonly string[]): string =>
    widths
      .map((width, at) => pad(fit(cells[at] ?? "", width), width))
      .join(GAP)
      .trimEnd();
  return [look.paint("bold", line(head)), ...rows.map(line)].map((text) => `${text}\n`).join("");
}

function shrink(natural: readonly number[], columns: number): readonly number[] {
  const widths = [...natural];
  const room = Math.max(1, columns - GAP.length * (widths.length - 1));
  let over = widths.reduce((sum, width) => sum + width, 0) - room;
  while (over > 0) {
    const widest = Math.max(...widths);
    if (widest <= LEAST) return widths;
    const at = widths.indexOf(widest);
    const next = Math.max(LEAST, ...widths.filter((width) => width < widest));
    const cut = Math.min(over, Math.max(1, widest - next));
    widths[at] = widest - cut;
    over -= cut;
  }
  return widths;
}
