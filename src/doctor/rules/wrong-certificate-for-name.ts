import { nameSome } from "../name-some.ts";
import type { Rule } from "../rule.ts";
import { checkGroups, groupsByHosts, peersProof, plural, probeOf, refsOf } from "../wire/groups.ts";
import { certificateText, servedOf } from "../wire/served.ts";

/** A certificate was chosen for the name, and it is for other names. */
export const wrongCertificateForName: Rule = {
  code: "wrong-certificate-for-name",
  title: "A name gets a certificate that is not for it",
  severity: "error",
  tier: "wire",
  source: "https://datatracker.ietf.org/doc/html/rfc9525#section-6.3",
  explains:
    "The server sends a certificate whose names do not cover the host, and not the one it falls back to: something names that certificate for this host. A file with the name of the host holds another certificate, " +
    "or a binding or `server` block of the host names the wrong one.",
  remedy:
    "Look at what the host's file or binding names: certfarm: `certfarm explain HOST`; IIS: `netsh http show sslcert hostnameport=HOST:443` and the names inside `HOST.pfx`. Put a certificate with the name there.",
  check: (view) =>
    checkGroups(view, groupsByHosts(view, "wrong-certificate-for-name"), (group) => {
      const served = servedOf(group.cells[0]);
      const what = served === undefined ? "another certificate" : certificateText(served);
      const where = group.everyNode ? "Every node" : nameSome(group.nodes);
      return {
        summary: `${where} ${plural(group.everyNode ? [where] : group.nodes, "serves", "serve")} ${what} for ${nameSome(group.hosts)}`,
        nodes: group.nodes,
        hosts: group.hosts,
        proof: [
          {
            text: `its names: ${served === undefined || served.dnsNames.length === 0 ? "none" : nameSome(served.dnsNames)}`,
            source: probeOf(group.cells[0]),
          },
          ...peersProof(view, group),
        ],
        remedy: `Replace what ${group.everyNode ? "the farm" : where} has for ${nameSome(group.hosts)} by a certificate with that name.`,
        effect: `Clients of ${nameSome(group.hosts)} accept the certificate.`,
        actions: group.nodes.map((node) => ({ do: "manual" as const, node, text: `Replace the certificate of ${nameSome(group.hosts)}` })),
        explains: refsOf(group.cells),
        certainty: "likely",
        others: ["default-certificate-for-name"],
        decides: `the row or file that ${nameSome(group.nodes)} ${plural(group.nodes, "takes", "take")} for the name: \`certfarm explain ${group.hosts[0] ?? "HOST"}\`, \`netsh http show sslcert\``,
      };
    }),
};
