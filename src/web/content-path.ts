/** A path of a request as a relative path of a content tree, or why it is refused. */
export type ContentPath = { readonly kind: "path"; readonly path: string } | { readonly kind: "malformed" } | { readonly kind: "refused" };

const MALFORMED: ContentPath = { kind: "malformed" };
const REFUSED: ContentPath = { kind: "refused" };
// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const CONTROL = /[\u0000-\u001f\u007f]/;

/**
 * Decodes once and strictly. Malformed: broken percent escapes, bytes that are no UTF-8, control characters. Refused:
 * `.` and `..` in any encoding, empty segments, `\`, an encoded `/`, and names that start with a dot, except below
 * `/.well-known/` (RFC 8615). What is left is only ever looked up among the names of the tree.
 */
export function contentPath(raw: string): ContentPath {
  if (!raw.startsWith("/")) return MALFORMED;
  let path = raw.slice(1);
  if (path.includes("%")) {
    if (/%(?:2f|5c)/i.test(path)) return REFUSED;
    try {
      path = decodeURIComponent(path);
    } catch {
      return MALFORMED;
    }
  }
  if (CONTROL.test(path)) return MALFORMED;
  if (path.includes("\\")) return REFUSED;
  return hasRefusedSegment(path) ? REFUSED : { kind: "path", path };
}

function hasRefusedSegment(path: string): boolean {
  const segments = path.split("/");
  return segments.some((segment, at) => {
    if (segment === "") return at !== segments.length - 1;
    return segment.startsWith(".") && !(at === 0 && segment === ".well-known" && segments.length > 1);
  });
}

/** A relative path as the path of a URL: every segment encoded. */
export const urlPath = (path: string): string => `/${path.split("/").map(encodeURIComponent).join("/")}`;
