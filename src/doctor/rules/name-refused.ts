import { nameSome } from "../name-some.ts";
import type { Rule } from "../rule.ts";
import { checkGroups, groupsByHosts, peersProof, plural, refsOf, seenProof } from "../wire/groups.ts";

/** A node that works for other names turns this one away. */
export const nameRefused: Rule = {
  code: "name-refused",
  title: "A node turns a name away",
  severity: "error",
  tier: "wire",
  source: "https://datatracker.ietf.org/doc/html/rfc6066#section-3",
  explains:
    "The handshake ends in an alert (`unrecognized_name` above all) or, on IIS, in a reset, for this name and not for others: the server has no certificate that it can use for it. " +
    "The file is missing there, has another name, cannot be opened, or no site is bound to the name. When every node turns it away, the farm has no certificate for it.",
  remedy:
    "certfarm: `certfarm explain HOST --node NODE` prints the way of the choice and where it ends; `certfarm certs list` shows the state of the files. IIS: look for `HOST.pfx` or the wildcard's `_.DOMAIN.pfx` " +
    "on the share, and for an exclamation mark in Centralized Certificates. nginx, HAProxy: see that the certificate is named in the configuration of this node.",
  check: (view) =>
    checkGroups(view, groupsByHosts(view, "name-refused"), (group) => ({
      summary: group.everyNode
        ? `Every node turns ${nameSome(group.hosts)} away`
        : `${nameSome(group.nodes)} ${plural(group.nodes, "turns", "turn")} ${nameSome(group.hosts)} away`,
      nodes: group.nodes,
      hosts: group.hosts,
      proof: [seenProof(group), ...peersProof(view, group)],
      remedy:
        `See that ${nameSome(group.nodes)} ${plural(group.nodes, "has", "have")} a certificate for ${nameSome(group.hosts)} and can open it: ` +
        `\`certfarm explain ${group.hosts[0] ?? "HOST"} --node ${group.nodes[0] ?? "NODE"}\` on a farm of certfarm, ${group.hosts[0] ?? "HOST"}.pfx or its wildcard on the share of IIS.`,
      effect: "Nothing changes; the trail names the step that finds nothing.",
      actions: group.nodes.map((node) => ({
        do: "manual" as const,
        node,
        text: `See that there is a certificate for ${nameSome(group.hosts)}`,
      })),
      explains: refsOf(group.cells),
      certainty: "likely",
      others: ["certificate-file-missing", "file-unreadable", "password-wrong"],
      decides: `the central certificates and the binding table as ${nameSome(group.nodes)} ${plural(group.nodes, "sees", "see")} them: the missing one is the cause`,
    })),
};
