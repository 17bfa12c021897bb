import type { FindingDraft } from "../finding.ts";
import { nameSome } from "../name-some.ts";
import type { Rule } from "../rule.ts";
import type { View } from "../view.ts";
import { can } from "../wire/can.ts";
import { checkFindings, kindProof, plural, seenProof, type Group } from "../wire/groups.ts";
import { laggards } from "../wire/laggards.ts";

/** Clients without SNI are served by some nodes only. */
export const clientsWithoutSni: Rule = {
  code: "clients-without-sni",
  title: "Clients without SNI get nothing on some nodes",
  severity: "notice",
  tier: "wire",
  source:
    "https://techcommunity.microsoft.com/blog/applicationproxyblog/how-to-support-non-sni-capable-clients-with-web-application-proxy-and-ad-fs-2012/246078",
  explains:
    "A client that sends no name (an old one, a balancer's health check) is served by some nodes and turned away by others of the same make. It matters only when such clients are wanted: the default certificate is a row or setting of each server.",
  remedy:
    "When such clients are wanted give every node the same default: IIS: `netsh http add sslcert ipport=0.0.0.0:443 certhash=… appid=…`; certfarm: a binding without SNI; nginx: `listen … default_server`; HAProxy: no `strict-sni`. When not, take it away everywhere.",
  yieldsTo: ["ip-row-shadows", "any-row-catches-misses", "ipv6-row-answers", "foreign-row-owner", "central-row-missing", "table-drift"],
  check: (view) =>
    checkFindings(
      view,
      laggards(view, { can: can("no-sni"), sameMakeOnly: true }).map((group) => draft(view, group)),
    ),
};

function draft(view: View, group: Group): FindingDraft {
  const who = nameSome(group.nodes);
  const serving = view.nodes.filter(({ name }) => view.cellsOf(name).some((cell) => can("no-sni")(cell) === true)).map(({ name }) => name);
  const [first = seenProof(group), ...rest] = kindProof(group, "no-sni", "without SNI");
  return {
    summary: `Clients without SNI get nothing on ${who}, and a certificate on ${nameSome(serving)}`,
    nodes: group.nodes,
    against: serving,
    hosts: [],
    proof: [
      first,
      ...rest,
      { text: `${nameSome(serving)} ${plural(serving, "serves", "serve")} such a client`, source: `probe of ${serving[0] ?? ""}` },
    ],
    remedy: `Give ${who} the same default certificate, or take it away on ${nameSome(serving)}.`,
    effect: "Clients without SNI are treated alike by every node; others see no change.",
    actions: [],
    explains: [],
    certainty: "certain",
  };
}
