import { nameSome } from "../name-some.ts";
import type { Rule } from "../rule.ts";
import { checkGroups, endpointsText, groupsByNode, peersProof, plural, refsOf, symptomProof } from "../wire/groups.ts";

/** The same endpoint serves some connections and not others, whatever the name. */
export const nodeFailsSometimes: Rule = {
  code: "node-fails-sometimes",
  title: "A node serves some connections and fails others",
  severity: "error",
  tier: "wire",
  source: "https://learn.microsoft.com/en-us/troubleshoot/windows-client/networking/tcp-ip-port-exhaustion-troubleshooting",
  explains:
    "A connection to this address is served at one time and fails at another, and no name makes the difference: the server is restarting or out of connections, threads or ports, a rate limit cuts in, " +
    "or several machines answer at the address.",
  remedy:
    "Run the doctor again with fewer connections at once; look at the server's connection limits, its queue of new connections, and at restarts in its log.",
  check: (view) =>
    checkGroups(view, groupsByNode(view, "node-fails-sometimes"), (group) => ({
      summary: `${nameSome(group.nodes)} ${plural(group.nodes, "serves", "serve")} some connections to ${endpointsText(group)} and ${plural(group.nodes, "fails", "fail")} others`,
      nodes: group.nodes,
      hosts: [],
      proof: [
        symptomProof(view, group),
        { text: "other connections to the same port came about", source: `probe of ${group.cells[0].node}` },
        ...peersProof(view, group),
      ],
      remedy: `Run the doctor again; when it stays, look at connection limits and restarts in the log of ${nameSome(group.nodes)}.`,
      effect: "Nothing changes.",
      actions: group.nodes.map((node) => ({ do: "manual" as const, node, text: "Look at connection limits and restarts" })),
      explains: refsOf(group.cells),
      certainty: "likely",
      others: ["address-of-two-machines"],
      decides: "a second run a minute later, and the node's own log of that time",
    })),
};
