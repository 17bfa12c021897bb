import { clean } from "../text.ts";

/** Of any one text on a page; peers' texts may be long. */
const MOST = 2_000;

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/**
 * Text for HTML and XML, within elements and quoted attributes: no markup, no control or format characters (NUL, escapes, marks that turn
 * the direction), nothing that XML 1.0 forbids (lone surrogates, U+FFFE, U+FFFF).
 */
export function escapeMarkup(text: string): string {
  const safe = clean(text.length > MOST ? `${text.slice(0, MOST)}…` : text);
  return safe.replaceAll(/[&<>"']/g, (sign) => ENTITIES[sign] ?? sign);
}
