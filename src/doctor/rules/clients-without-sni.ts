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
  check: (view) => checkFindings(view, parted(view).map(draft)),
};

/** Who serves clients without SNI, and who does not although it is of the same make. */
interface Parted {
  readonly serving: readonly string[];
  readonly refusing: readonly string[];
  /** A refusing node's cells. */
  readonly example: Group;
}

/** One finding for all of them: which side is the odd one is told by its size. */
function parted(view: View): readonly Parted[] {
  const groups = laggards(view, { can: can("no-sni"), sameMakeOnly: true });
  const [example] = groups;
  if (example === undefined) return [];
  const refusing = groups.flatMap(({ nodes }) => nodes);
  const serving = view.nodes.filter(({ name }) => view.cellsOf(name).some((cell) => can("no-sni")(cell) === true)).map(({ name }) => name);
  return [{ serving, refusing, example }];
}

function draft({ serving, refusing, example }: Parted): FindingDraft {
  const isServingOdd = serving.length < refusing.length;
  const [odd, others] = isServingOdd ? [serving, refusing] : [refusing, serving];
  const [first = seenProof(example), ...rest] = kindProof(example, "no-sni", "without SNI");
  return {
    summary: isServingOdd
      ? `Clients without SNI get a certificate on ${nameSome(serving)} only, and nothing on ${nameSome(refusing)}`
      : `Clients without SNI get nothing on ${nameSome(refusing)}, and a certificate on ${nameSome(serving)}`,
    nodes: odd,
    against: others,
    hosts: [],
    proof: [
      first,
      ...rest,
      { text: `${nameSome(serving)} ${plural(serving, "serves", "serve")} such a client`, source: `probe of ${serving[0] ?? ""}` },
    ],
    remedy: isServingOdd
      ? `Take the default certificate away on ${nameSome(serving)}, or give the same one to ${nameSome(refusing)}.`
      : `Give ${nameSome(refusing)} the same default certificate, or take it away on ${nameSome(serving)}.`,
    effect: "Clients without SNI are treated alike by every node; others see no change.",
    actions: [],
    explains: [],
    certainty: "certain",
  };
}
