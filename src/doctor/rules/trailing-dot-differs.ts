import type { Cell } from "../examination.ts";
import { nameSome } from "../name-some.ts";
import type { Rule } from "../rule.ts";
import { checkFindings, kindProof, peersProof, plural, seenProof } from "../wire/groups.ts";
import { laggards } from "../wire/laggards.ts";
import { covers, outcomeOf } from "../wire/served.ts";

/** A name with a dot at the end reaches its certificate on some nodes only. */
export const trailingDotDiffers: Rule = {
  code: "trailing-dot-differs",
  title: "A name with a trailing dot works on some nodes only",
  severity: "notice",
  tier: "wire",
  source: "https://datatracker.ietf.org/doc/html/rfc6066#section-3",
  explains:
    "`https://www.example.com./` is the same host to DNS, and RFC 6066 wants SNI without the dot; some clients send it nevertheless. Nodes of the same make treat it differently, so their versions or settings differ.",
  remedy:
    "Bring the nodes to the same version. A server that does not strip the dot needs the name with the dot as an alias, where it allows one.",
  check: (view) =>
    checkFindings(
      view,
      laggards(view, { can: withDot, sameMakeOnly: true }).map((group) => {
        const [first = seenProof(group), ...rest] = kindProof(group, "trailing-dot", "with a dot at the end");
        return {
          summary: `${nameSome(group.nodes)} ${plural(group.nodes, "does", "do")} not know ${nameSome(group.hosts)} with a dot at the end, other nodes do`,
          nodes: group.nodes,
          hosts: group.hosts,
          proof: [first, ...rest, ...peersProof(view, group)],
          remedy: `Bring ${nameSome(group.nodes)} to the version of the other nodes.`,
          effect: "Clients that send the dot are treated alike by every node.",
          actions: [],
          explains: [],
          certainty: "certain" as const,
        };
      }),
    ),
};

function withDot(cell: Cell): boolean | undefined {
  const outcome = outcomeOf(cell, "trailing-dot");
  if (outcome === undefined || outcome.kind === "refused" || outcome.kind === "timeout") return undefined;
  return outcome.kind === "served" && covers(outcome, cell.host);
}
