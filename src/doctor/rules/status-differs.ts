import type { Cell } from "../examination.ts";
import type { FindingDraft } from "../finding.ts";
import { nameSome } from "../name-some.ts";
import type { Rule } from "../rule.ts";
import type { View } from "../view.ts";
import { isHttpApi } from "../wire/cause-of.ts";
import { checkFindings, plural, probeOf, type Group } from "../wire/groups.ts";
import { laggards } from "../wire/laggards.ts";

/** A request that one node answers and another turns away. */
export const statusDiffers: Rule = {
  code: "status-differs",
  title: "Nodes answer the same request differently",
  severity: "warning",
  tier: "wire",
  source: "https://datatracker.ietf.org/doc/html/rfc9110#section-15.5",
  explains:
    "The same request gets 2xx or 3xx from some nodes and 4xx from others: content or configuration of the site is not the same, a binding is missing so that another site answers, or one node asks for something more (a client certificate, a login).",
  remedy:
    "Compare the site's configuration and content between the nodes: certfarm: `certfarm status` shows revision and content digest of each node; IIS: the replicated `applicationHost.config` and content folders (DFS-R backlog).",
  check: (view) =>
    checkFindings(
      view,
      laggards(view, { can: welcomes, sameMakeOnly: false }).map((group) => draft(view, group)),
    ),
};

function welcomes({ request }: Cell): boolean | undefined {
  if (request?.status === undefined || isHttpApi(request.headers["server"])) return undefined;
  return request.status < 400 ? true : request.status < 500 ? false : undefined;
}

function draft(view: View, group: Group): FindingDraft {
  const [cell] = group.cells;
  const peer = view.cellsFor(cell.host).find((other) => welcomes(other) === true);
  const status = cell.request?.status ?? 0;
  return {
    summary: `${nameSome(group.nodes)} ${plural(group.nodes, "answers", "answer")} ${status} for ${nameSome(group.hosts)}, other nodes ${peer?.request?.status ?? 200}`,
    nodes: group.nodes,
    hosts: group.hosts,
    proof: [
      { text: `answers ${status}`, source: probeOf(cell) },
      ...(peer === undefined ? [] : [{ text: `${peer.node} answers ${peer.request?.status ?? 0}`, source: probeOf(peer) }]),
    ],
    remedy: `Compare content and configuration of ${nameSome(group.hosts)} on ${nameSome(group.nodes)} with ${peer?.node ?? "a node that works"}.`,
    effect: "Every node gives the same answer.",
    actions: group.nodes.map((node) => ({
      do: "manual",
      node,
      text: `Compare content and configuration of ${nameSome(group.hosts)} with ${peer?.node ?? "a node that works"}`,
    })),
    explains: [],
    certainty: "likely",
    decides: `revision and content digest of ${nameSome(group.nodes)}, and its log of the request`,
  };
}
