import type { HostName, Instant } from "../../base/index.ts";
import type { Cell, ExaminedNode } from "../examination.ts";
import type { View } from "../view.ts";
import { servedOf, type Served } from "../wire/served.ts";
import { expectedLeaves, type Expected, type ExpectedLeaf } from "./expected-leaves.ts";

/** A cell that shows a certificate which has a successor. */
export interface Stale {
  readonly node: ExaminedNode;
  readonly cell: Cell;
  readonly host: HostName;
  readonly served: Served;
  /** What the node should show: from its file, or what another node shows. */
  readonly successor:
    | { readonly from: "file"; readonly leaf: ExpectedLeaf; readonly expected: Expected }
    | { readonly from: "peer"; readonly leaf: Served; readonly peer: string };
}

const known = new WeakMap<View["examination"], readonly Stale[]>();

/** Every cell that shows a certificate which was renewed since; worked out once for an examination. */
export function staleCells(view: View): readonly Stale[] {
  const before = known.get(view.examination);
  if (before !== undefined) return before;
  const nodes = new Map(view.nodes.map((node) => [node.name, node]));
  const stale = view.examination.hosts.flatMap(({ name }) => staleOf(view, name, nodes));
  known.set(view.examination, stale);
  return stale;
}

function staleOf(view: View, host: HostName, nodes: ReadonlyMap<string, ExaminedNode>): readonly Stale[] {
  const cells = view.cellsFor(host);
  return cells.flatMap((cell): readonly Stale[] => {
    const node = nodes.get(cell.node);
    const served = servedOf(cell);
    if (node === undefined || served === undefined || !coversLike(served)) return [];
    const expected = expectedLeaves(view, node, host);
    if (expected !== undefined) return staleByFile({ node, cell, host, served }, expected, view.examination.at);
    return staleByPeer({ node, cell, host, served }, cells);
  });
}

/** A certificate of another name has another cause. */
const coversLike = ({ verified }: Served): boolean => verified !== "ERR_TLS_CERT_ALTNAME_INVALID";

type Seen = Omit<Stale, "successor">;

function staleByFile(seen: Seen, expected: Expected, at: Instant): readonly Stale[] {
  const { served } = seen;
  if (expected.leaves.some(({ thumbprint }) => thumbprint === served.thumbprint)) return [];
  const newest = expected.leaves.toSorted((a, b) => b.notBefore - a.notBefore)[0] ?? expected.leaves[0];
  if (newest.notBefore <= served.notBefore || newest.notBefore > at || !sharesName(newest.dnsNames, served.dnsNames)) return [];
  return [{ ...seen, successor: { from: "file", leaf: newest, expected } }];
}

/** A wildcard's certificate that answers before the exact file does is no predecessor of it. */
const sharesName = (some: readonly string[], others: readonly string[]): boolean => some.some((name) => others.includes(name));

function staleByPeer(seen: Seen, cells: readonly Cell[]): readonly Stale[] {
  for (const cell of cells) {
    const leaf = cell.node === seen.cell.node ? undefined : servedOf(cell);
    if (leaf !== undefined && succeeds(leaf, seen.served)) return [{ ...seen, successor: { from: "peer", leaf, peer: cell.node } }];
  }
  return [];
}

/**
 * Whether one certificate looks like the renewal of another: the same names and kind of key, issued in the second half of the other's life.
 * Certificates that nodes obtained each on its own were not.
 */
export function succeeds(later: Served, earlier: Served): boolean {
  if (later.sha256 === earlier.sha256 || !sameNames(later.dnsNames, earlier.dnsNames) || otherKey(later, earlier)) return false;
  return later.notBefore >= earlier.notBefore + (earlier.notAfter - earlier.notBefore) / 2 && later.notAfter > earlier.notAfter;
}

/** RSA beside ECDSA; false when the chains were not read. */
function otherKey(one: Served, other: Served): boolean {
  const [a, b] = [one, other].map(({ chain }) => chain?.[0]?.keyName.startsWith("RSA"));
  return a !== undefined && b !== undefined && a !== b;
}

export const sameNames = (some: readonly string[], others: readonly string[]): boolean =>
  some.length === others.length && [...some].toSorted().join(" ") === [...others].toSorted().join(" ");

/** Whether the certificate shown is past its end. */
export const isExpired = ({ notAfter }: Served, at: Instant): boolean => notAfter < at;
