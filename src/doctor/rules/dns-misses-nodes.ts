import type { FindingDraft } from "../finding.ts";
import { nameSome } from "../name-some.ts";
import type { Rule } from "../rule.ts";
import type { View } from "../view.ts";
import { groupBy } from "../group-by.ts";
import { plural } from "../wire/groups.ts";
import { resolutions, type Resolution } from "../wire/resolution.ts";

/** Names are spread over the nodes by DNS, and some nodes are left out. */
export const dnsMissesNodes: Rule = {
  code: "dns-misses-nodes",
  title: "A name does not lead to every node",
  severity: "notice",
  tier: "wire",
  source: "https://datatracker.ietf.org/doc/html/rfc1794",
  explains:
    "The farm's names lead to the nodes themselves (round robin), and for this name some nodes are missing: no client reaches them, whatever they serve.",
  remedy: "Add the addresses to the records of the host, or leave them out on purpose while the node is out of service.",
  check: (view) => {
    const all = resolutions(view);
    if (all.length === 0) return { status: "could-not-look", why: "no name was resolved" };
    if (view.balancers.length > 0) return { status: "not-applicable", why: "a balancer stands before the nodes" };
    const spread = all.filter(({ nodes }) => nodes.length > 0);
    if (!spread.some(({ nodes }) => nodes.length > 1)) return { status: "not-applicable", why: "no name leads to several nodes" };
    const missing = spread
      .map((resolution) => ({ resolution, nodes: missingNodes(view, resolution) }))
      .filter(({ nodes }) => nodes.length > 0);
    const groups = [...groupBy(missing, ({ nodes }) => nodes.join(" ")).values()];
    return groups.length === 0 ? { status: "passed" } : { status: "found", findings: groups.map(draft) };
  },
};

const missingNodes = (view: View, { host, nodes }: Resolution): readonly string[] =>
  view.nodes
    .filter(({ name, endpoints, evidence }) => {
      const own = [...endpoints.map(({ address }) => address), ...(evidence?.addresses ?? [])];
      return view.meant(name, host) && !own.some((address) => nodes.includes(address));
    })
    .map(({ name }) => name);

function draft(group: readonly { readonly resolution: Resolution; readonly nodes: readonly string[] }[]): FindingDraft {
  const hosts = group.map(({ resolution }) => resolution.host);
  const nodes = group[0]?.nodes ?? [];
  return {
    summary: `${nameSome(hosts)} ${plural(hosts, "does", "do")} not lead to ${nameSome(nodes)}`,
    nodes,
    hosts,
    proof: [{ text: `resolves to ${nameSome(group[0]?.resolution.nodes ?? [], 6)}`, source: "the doctor's resolver" }],
    remedy: `Add the addresses of ${nameSome(nodes)} to the records of ${nameSome(hosts)}, unless they are out of service.`,
    effect: `Clients reach ${nameSome(nodes)} as well.`,
    actions: [{ do: "manual", text: `Add the addresses of ${nameSome(nodes)} to the records of ${nameSome(hosts)}` }],
    explains: [],
    certainty: "likely",
    decides: `whether ${nameSome(nodes)} ${plural(nodes, "was", "were")} taken out on purpose`,
  };
}
