import type { Cell } from "../examination.ts";
import { nameSome } from "../name-some.ts";
import type { Rule } from "../rule.ts";
import { shorten } from "../shorten.ts";
import { checkGroups, groupsByHosts, peersProof, probeOf, refsOf, type Group } from "../wire/groups.ts";

/** TLS is right, and the request is not answered well. */
export const requestFails: Rule = {
  code: "request-fails",
  title: "The handshake ends well and the request fails",
  severity: "error",
  tier: "wire",
  source: "https://datatracker.ietf.org/doc/html/rfc9110#section-15.6",
  explains:
    "The certificate is right, and what stands behind TLS is not: the application or its pool is down on this node, its content or configuration is not there, or a server behind it does not answer. " +
    "When every node answers so, look at what they share.",
  remedy:
    "Look at the node's own log of the request: IIS: `%SystemDrive%\\inetpub\\logs\\LogFiles` and `HTTPERR`; nginx: `error.log`; certfarm: the access log. Compare content and configuration with a node that works.",
  check: (view) =>
    checkGroups(view, groupsByHosts(view, "request-fails"), (group) => ({
      summary: summaryOf(group),
      nodes: group.nodes,
      hosts: group.hosts,
      proof: [
        { text: `the handshake ends well; ${answerOf(group.cells[0])}`, source: probeOf(group.cells[0]) },
        ...peersProof(view, group),
      ],
      remedy: !group.everyNode
        ? `Look at the log of ${nameSome(group.nodes)}, and compare its content and configuration with a node that works.`
        : `Look at what the nodes share: the application, its database, the servers behind.`,
      effect: "Nothing changes; the log names the step that fails.",
      actions: group.nodes.map((node) => ({
        do: "manual" as const,
        node,
        text: `Look at the log of requests for ${nameSome(group.hosts)}`,
      })),
      explains: refsOf(group.cells),
      certainty: "likely",
      decides: `the log of ${nameSome(group.nodes)} at the time of the request`,
    })),
};

function summaryOf({ cells: [cell], everyNode, nodes, hosts }: Group): string {
  const [who, one] = everyNode ? ["Every node", true] : [nameSome(nodes), nodes.length === 1];
  if (cell.request?.status !== undefined) return `${who} ${one ? "answers" : "answer"} ${cell.request.status} for ${nameSome(hosts)}`;
  return `${who} ${one ? "fails" : "fail"} requests for ${nameSome(hosts)}: ${shorten(cell.request?.problem ?? "no answer")}`;
}

const answerOf = ({ request }: Cell): string =>
  request?.status === undefined ? `the request fails: ${shorten(request?.problem ?? "no answer")}` : `the request gets ${request.status}`;
