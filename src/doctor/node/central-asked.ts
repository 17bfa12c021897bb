import type { CentralEvidence, NodeEvidence } from "../evidence.ts";
import type { Proof } from "../finding.ts";
import { nameSome } from "../name-some.ts";
import type { Evident, View } from "../view.ts";
import { askText, centralBindings } from "./bound-hosts.ts";
import { usualOf } from "./usual-of.ts";

type Central = Evident<"central">;

/** Nodes that say how they see the central store, and that want it: their bindings ask for it, or are not known. */
export const wantingCentral = (view: View): readonly Central[] =>
  view.having("central").filter(({ evidence: { bindings } }) => bindings === undefined || centralBindings(bindings).length > 0);

/** That bindings of the node ask for the store. */
export function askedProof({ bindings, source }: NodeEvidence): readonly Proof[] {
  const asking = centralBindings(bindings);
  if (asking.length === 0) return [];
  return [
    {
      text: `${askText(asking.length)} for central certificates: ${nameSome(asking.map(({ host, site }) => host ?? site))}`,
      source: bindings?.source ?? source,
    },
  ];
}

/** That other nodes are not in the same way: `web1 and web3 have the feature`. */
export function peersProof(peers: readonly Central[], one: string, many: string): readonly Proof[] {
  const [first] = peers;
  if (first === undefined) return [];
  return [{ text: `${nameSome(peers.map(({ node }) => node.name))} ${peers.length === 1 ? one : many}`, source: first.part.source }];
}

/** A path as Windows compares it. */
export const samePath = (path: string): string => path.toLowerCase().replaceAll("/", "\\").replace(/\\+$/, "");

/** The certificates feature is there and on, and its folder can be read. */
export const readsStore = ({ installed, enabled, access }: CentralEvidence): boolean =>
  installed !== false && enabled !== false && access?.kind === "readable";

/** Nodes whose store is not in the place of most, with those; among equally many, nodes that read theirs count as right. */
export function oddLocations(nodes: readonly Central[]): readonly { readonly node: Central; readonly usual: readonly Central[] }[] {
  const telling = nodes.filter(({ part }) => part.location !== undefined && part.enabled !== false);
  const usual = usualOf(
    telling,
    ({ part }) => samePath(part.location ?? ""),
    ({ part }) => (readsStore(part) ? 1 : 0),
  );
  return telling.filter((node) => !usual.includes(node)).map((node) => ({ node, usual }));
}

/** Nodes that could open their store but for what `access` says: the feature is there and on, and the place is that of the others. */
export function tryingStore(view: View): readonly Central[] {
  const nodes = wantingCentral(view);
  const odd = new Set(oddLocations(nodes).map(({ node }) => node));
  return nodes.filter(
    (node) => node.part.access !== undefined && node.part.enabled !== false && node.part.installed !== false && !odd.has(node),
  );
}
