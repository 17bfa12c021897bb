import { nameSome } from "../name-some.ts";
import type { Rule } from "../rule.ts";
import { checkGroups, endpointsText, groupsByNode, kindProof, peersProof, plural, refsOf, seenProof, type Group } from "../wire/groups.ts";

/** The seed of it all as it looks from outside: every ClientHello is answered with a reset. */
export const nodeResetsEveryHandshake: Rule = {
  code: "node-resets-every-handshake",
  title: "A node resets every handshake",
  severity: "error",
  tier: "wire",
  source:
    "https://techcommunity.microsoft.com/blog/applicationproxyblog/how-to-support-non-sni-capable-clients-with-web-application-proxy-and-ad-fs-2012/246078",
  explains:
    "The connection comes about and every ClientHello, with a name or without, ends in a reset or close without an alert. HTTP.sys does so when it finds no certificate: its table has no central row for the port, " +
    "the central store is disabled on this server, or it cannot read the store. Seen from outside alone these look the same; when other nodes serve the same hosts the files are there.",
  remedy:
    "On that server: `netsh http show sslcert`. Without `Central Certificate Store : 443` add it: `netsh http add sslcert ccs=443 appid={4dc3e181-e14b-4a21-b022-59fc669b0914}`. " +
    "With it look at `Get-WebCentralCertProvider`. `certfarm iis collect` gathers both, and `certfarm doctor --evidence` then names the cause.",
  check: (view) =>
    checkGroups(view, groupsByNode(view, "node-resets-every-handshake"), (group) => ({
      summary: `${nameSome(group.nodes)} ${plural(group.nodes, "resets", "reset")} every ClientHello on ${endpointsText(group)}`,
      nodes: group.nodes,
      hosts: [],
      proof: [seenProof(group), ...kindProof(group, "no-sni", "without SNI"), ...peersProof(view, group)],
      remedy:
        `Run \`netsh http show sslcert\` on ${nameSome(group.nodes)} (IIS). When it lists no central row for port ${port(group)}, add it: ` +
        `\`netsh http add sslcert ccs=${port(group)} appid={4dc3e181-e14b-4a21-b022-59fc669b0914}\`; when it does, look at \`Get-WebCentralCertProvider\`.`,
      effect: "Nothing changes until the row is added; then the node chooses certificates of the central store.",
      actions: group.nodes.map((node) => ({
        do: "manual" as const,
        node,
        text: "Collect the binding table: `netsh http show sslcert`, or `certfarm iis collect`",
      })),
      explains: refsOf(group.cells),
      certainty: "likely",
      others: ["central-row-missing", "central-store-disabled", "central-store-credential", "central-store-unreachable"],
      decides: `\`netsh http show sslcert\` of ${nameSome(group.nodes)}: no central row for the port = central-row-missing; with the row, \`Get-WebCentralCertProvider\` tells whether the central store is enabled and readable`,
    })),
};

const port = ({ cells: [cell] }: Group): number => cell.endpoint.port;
