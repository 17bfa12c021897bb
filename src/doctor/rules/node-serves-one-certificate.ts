import { nameSome } from "../name-some.ts";
import type { Rule } from "../rule.ts";
import { checkGroups, endpointsText, groupsByNode, kindProof, peersProof, plural, refsOf } from "../wire/groups.ts";
import { certificateText, servedOf } from "../wire/served.ts";

/** A row that shadows all others, as it looks from outside. */
export const nodeServesOneCertificate: Rule = {
  code: "node-serves-one-certificate",
  title: "A node serves one certificate for every name",
  severity: "error",
  tier: "wire",
  source: "https://learn.microsoft.com/en-us/windows-server/identity/ad-fs/troubleshooting/ad-fs-tshoot-proxy-trust",
  explains:
    "Whatever name a client asks for, and without any, the node sends the same certificate, although it is not for that name. On IIS an `ip:port` row of the binding table outranks the rows of names and the central store: " +
    "one site without SNI is enough to make it. Elsewhere the server knows no other certificate, so its default answers for all.",
  remedy:
    "IIS: `netsh http show sslcert` lists the row (`IP:port : ADDRESS:443` with the hash of the certificate served); tick SNI on every site of that address, then `netsh http delete sslcert ipport=ADDRESS:443`. " +
    "`certfarm doctor --evidence` with `certfarm iis collect` proves it. nginx, HAProxy: see that the configuration names the other certificates and was reloaded.",
  check: (view) =>
    checkGroups(view, groupsByNode(view, "node-serves-one-certificate"), (group) => {
      const served = servedOf(group.cells[0]);
      const what = served === undefined ? "one certificate" : certificateText(served);
      return {
        summary: `${nameSome(group.nodes)} ${plural(group.nodes, "serves", "serve")} ${what} for every name on ${endpointsText(group)}`,
        nodes: group.nodes,
        hosts: [],
        proof: [
          { text: `${nameSome(group.hosts)}: ${what}`, source: `probe of ${group.cells[0].node} for ${group.cells[0].host}` },
          ...kindProof(group, "no-sni", "without SNI"),
          ...peersProof(view, group),
        ],
        remedy: `Run \`netsh http show sslcert\` on ${nameSome(group.nodes)} (IIS) and look for an \`IP:port\` row with hash ${served?.thumbprint.toLowerCase() ?? ""}.`,
        effect: "Nothing changes until the row is deleted; then the rows of names and the central row are asked.",
        actions: group.nodes.map((node) => ({
          do: "manual" as const,
          node,
          text: "Collect the binding table: `netsh http show sslcert`, or `certfarm iis collect`",
        })),
        explains: refsOf(group.cells),
        certainty: "likely",
        others: ["ip-row-shadows", "default-certificate-for-name"],
        decides: `\`netsh http show sslcert\` of ${nameSome(group.nodes)}: an \`IP:port\` row with that hash shadows the rest; without one the node has no other certificate`,
      };
    }),
};
