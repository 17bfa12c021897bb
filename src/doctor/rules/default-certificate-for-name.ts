import { nameSome } from "../name-some.ts";
import type { Rule } from "../rule.ts";
import { checkGroups, groupsByHosts, kindProof, peersProof, plural, probeOf, refsOf } from "../wire/groups.ts";
import { certificateText, servedOf } from "../wire/served.ts";

/** A node falls back to its default certificate for a name. */
export const defaultCertificateForName: Rule = {
  code: "default-certificate-for-name",
  title: "A node falls back to its default certificate",
  severity: "error",
  tier: "wire",
  source: "https://nginx.org/en/docs/http/configuring_https_servers.html#name_based_https_servers",
  explains:
    "For this name the node sends the certificate that it sends to clients without a name or for other names: it has none of its own for it. On IIS the file is missing in the central store and a `0.0.0.0:443` row answers instead.",
  remedy:
    "Add the certificate for the name on that node: certfarm and IIS: `HOST.pfx` or `_.DOMAIN.pfx` in the central certificates; nginx: a `server` block with the name; HAProxy: the file in the `crt` directory or list, then reload.",
  check: (view) =>
    checkGroups(view, groupsByHosts(view, "default-certificate-for-name"), (group) => {
      const served = servedOf(group.cells[0]);
      const what = served === undefined ? "its default certificate" : certificateText(served);
      return {
        summary: `${nameSome(group.nodes)} ${plural(group.nodes, "has", "have")} no certificate for ${nameSome(group.hosts)} and ${plural(group.nodes, "falls", "fall")} back to ${what}`,
        nodes: group.nodes,
        hosts: group.hosts,
        proof: [
          { text: `${nameSome(group.hosts)}: ${what}`, source: probeOf(group.cells[0]) },
          ...kindProof(group, "no-sni", "without SNI"),
          ...peersProof(view, group),
        ],
        remedy: `Add a certificate for ${nameSome(group.hosts)} on ${nameSome(group.nodes)}.`,
        effect: `${nameSome(group.hosts)} ${plural(group.hosts, "gets", "get")} its own certificate; other names keep theirs.`,
        actions: group.nodes.map((node) => ({ do: "manual" as const, node, text: `Add a certificate for ${nameSome(group.hosts)}` })),
        explains: refsOf(group.cells),
        certainty: "likely",
        others: ["certificate-file-missing", "any-row-catches-misses", "node-serves-one-certificate"],
        decides: `the binding table and certificates of ${nameSome(group.nodes)}: a row or file for the name that names this certificate, or none`,
      };
    }),
};
