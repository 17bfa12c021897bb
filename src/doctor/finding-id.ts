import type { FindingDraft } from "./finding.ts";

const PRIME = 0x01000193;

/** FNV-1a as 8 hexadecimal digits: a name, not a safeguard. */
export function hash32(text: string): string {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) value = Math.imul(value ^ text.charCodeAt(index), PRIME) >>> 0;
  return value.toString(16).padStart(8, "0");
}

/** The same cause on the same nodes and hosts has the same id in every run: `F-1a2b3c4d`. */
export function findingId(
  code: string,
  { nodes, hosts, about, summary }: Pick<FindingDraft, "nodes" | "hosts" | "about" | "summary">,
): string {
  const farm = nodes.length === 0 && hosts.length === 0 && about === undefined;
  const what = farm ? summary : [...nodes].toSorted().join(",") + "/" + [...hosts].toSorted().join(",");
  return `F-${hash32(`${code}/${what}${about === undefined ? "" : `/${about}`}`)}`;
}
