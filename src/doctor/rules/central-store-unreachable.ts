import type { FindingDraft } from "../finding.ts";
import { nameSome } from "../name-some.ts";
import { peersProof, readsStore, samePath, tryingStore } from "../node/central-asked.ts";
import { deadStoreRefs } from "../node/central-symptoms.ts";
import { result, withoutEvidence } from "../node/rule-results.ts";
import type { Rule } from "../rule.ts";
import type { Evident, View } from "../view.ts";

type Central = Evident<"central">;

/** Network, name resolution, a firewall, or the file server itself. */
export const centralStoreUnreachable: Rule = {
  code: "central-store-unreachable",
  title: "The central store cannot be reached",
  severity: "error",
  tier: "node",
  source:
    "https://learn.microsoft.com/en-us/iis/get-started/whats-new-in-iis-8/iis-80-centralized-ssl-certificate-support-ssl-scalability-and-manageability",
  explains:
    "The folder of the central certificates does not answer on this node: the file server is down, a firewall stops SMB (port 445), its name resolves to another address, or the folder is gone. " +
    "Certificates in memory keep working for a while; other names fail, and after a restart all of them do. A certfarm node serves from its own verified copies.",
  remedy:
    "From that node: `Test-NetConnection SERVER -Port 445` and `dir \\\\SERVER\\SHARE`; compare with a node that reads it. certfarm: see the store's address in the farm's configuration.",
  check(view) {
    const nodes = tryingStore(view).filter(({ evidence }) => evidence.store?.staleSince === undefined);
    if (nodes.length === 0) return withoutEvidence(view, "central");
    return result(groups(nodes).map((group) => finding(view, nodes, group)));
  },
};

/** Nodes that fail to reach the same place: one cause. */
function groups(nodes: readonly Central[]): readonly (readonly [Central, ...Central[]])[] {
  const found = new Map<string, [Central, ...Central[]]>();
  for (const node of nodes) {
    const { access, location = "" } = node.part;
    if (access?.kind !== "failed" || access.cause === "logon" || access.cause === "denied") continue;
    const there = found.get(samePath(location));
    if (there === undefined) found.set(samePath(location), [node]);
    else there.push(node);
  }
  return [...found.values()];
}

function finding(view: View, all: readonly Central[], group: readonly [Central, ...Central[]]): FindingDraft {
  const [first] = group;
  const names = group.map(({ node }) => node.name);
  const place = first.part.location ?? "the central store";
  const gone = group.every(({ part }) => part.access?.kind === "failed" && part.access.cause === "absent");
  return {
    summary: gone ? `${nameSome(names)}: ${place} does not exist` : `${nameSome(names)} cannot reach ${place}`,
    nodes: names,
    hosts: [],
    about: samePath(place),
    proof: [
      { text: first.part.access?.kind === "failed" ? first.part.access.message : "", source: first.part.source },
      ...peersProof(
        all.filter(({ part }) => readsStore(part)),
        "reads its central store",
        "read their central store",
      ),
    ],
    remedy: gone
      ? `See what became of ${place}, or set the location on ${nameSome(names)} right.`
      : `From ${nameSome(names)}: see that the file server of ${place} answers on port 445 and that its name leads to the right address.`,
    effect: "Certificates are read again; nothing changes for those in memory.",
    actions: names.map((node) => ({ do: "manual", node, text: `make ${place} reachable` })),
    explains: group.flatMap((node) => deadStoreRefs(view, node, "stale-too")),
    certainty: "certain",
  };
}
