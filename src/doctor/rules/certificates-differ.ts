import { dayText, leafText } from "../files/certificate-text.ts";
import { expectedLeaves } from "../files/expected-leaves.ts";
import { sameNames } from "../files/renewals.ts";
import type { Cell } from "../examination.ts";
import type { FindingDraft, Proof } from "../finding.ts";
import { nameSome } from "../name-some.ts";
import type { Rule } from "../rule.ts";
import { shorten } from "../shorten.ts";
import type { View } from "../view.ts";
import { groupBy } from "../group-by.ts";
import { checkFindings, groupOf, illRefs, plural, probeOf, type Group } from "../wire/groups.ts";
import { covers, type Served, servedOf } from "../wire/served.ts";

/** Nodes that serve different certificates which are all good. */
export const certificatesDiffer: Rule = {
  code: "certificates-differ",
  title: "Nodes serve different certificates for one host",
  severity: "notice",
  tier: "wire",
  source: "https://www.rfc-editor.org/rfc/rfc8446#section-4.4.2.2",
  explains:
    "Clients accept each of the certificates, and which one they get depends on the node. That may be meant: every node obtains its own, or a key type is being introduced. " +
    "In a farm with one store it means that a node takes the certificate from elsewhere: a row or binding of its own, another folder, another file. Then it is a warning.",
  remedy:
    "If it is meant, nothing needs to be done. Otherwise compare where the nodes take the certificate from: `certfarm explain HOST --node N`, or the evidence of each IIS server.",
  check(view) {
    const ill = view.symptoms.flatMap((symptom) => {
      const cell = symptom.kind === "differs" && view.nodes.some(({ name }) => name === symptom.node) ? view.cellOf(symptom) : undefined;
      return cell === undefined ? [] : [cell];
    });
    const perHost = [...groupBy(ill, ({ host }) => host).values()];
    const groups = groupBy(
      perHost,
      (cells) => `${cells.map(({ node }) => node).join(" ")} ${String(cells.some((cell) => elsewhere(view, cell) !== undefined))}`,
    );
    return checkFindings(
      view,
      [...groups.values()].flatMap((group) => groupOf(view, group.flat())).map((group) => draft(view, group)),
    );
  },
};

/** The certificate is not that of the file from which the node is to serve. */
function elsewhere(view: View, cell: Cell): Proof | undefined {
  const served = servedOf(cell);
  const node = view.nodes.find(({ name }) => name === cell.node);
  const expected = node === undefined ? undefined : expectedLeaves(view, node, cell.host);
  if (served === undefined || expected === undefined || expected.leaves.some(({ thumbprint }) => thumbprint === served.thumbprint))
    return undefined;
  const [leaf] = expected.leaves;
  return { text: `${leaf.file} on ${cell.node} holds ${leafText(leaf)}, which it does not serve`, source: expected.source };
}

function draft(view: View, group: Group): FindingDraft {
  const { nodes, hosts } = group;
  const [cell] = group.cells;
  const served = servedOf(cell);
  const peer = peerOf(view, group);
  const other = peer === undefined ? undefined : servedOf(peer);
  const foreign = elsewhere(view, cell);
  return {
    summary: `${nameSome(nodes)} ${plural(nodes, "serves", "serve")} other certificates for ${nameSome(hosts)} than the other nodes${served === undefined || other === undefined ? "" : `: ${why(served, other)}`}`,
    nodes,
    hosts,
    proof: [
      {
        text: served === undefined ? "another certificate" : `${leafText(served)}, issued by ${shorten(served.issuer)}`,
        source: probeOf(cell),
      },
      ...(peer === undefined || other === undefined
        ? []
        : [{ text: `${leafText(other)}, issued by ${shorten(other.issuer)}`, source: probeOf(peer) }]),
      ...(foreign === undefined ? [] : [foreign]),
    ],
    remedy:
      foreign === undefined
        ? "If this is meant, nothing needs to be done; otherwise give all nodes the same certificate."
        : `See which row or binding of ${cell.node} names this certificate, and let it take that of the file.`,
    effect: "Every node shows clients the same certificate.",
    actions: [],
    explains: illRefs(view, group.cells),
    certainty: "likely",
    others: ["the nodes are meant to have certificates of their own", "the certificate is being replaced at this moment"],
    decides: "where each node takes the certificate of this host from: its binding table and its files",
    severity: foreign === undefined ? "notice" : "warning",
  };
}

const peerOf = (view: View, { nodes, hosts: [host] }: Group): Cell | undefined =>
  host === undefined
    ? undefined
    : view.cellsFor(host).find((cell) => {
        const served = nodes.includes(cell.node) ? undefined : servedOf(cell);
        return served !== undefined && covers(served, host);
      });

/** In what two certificates differ, the most telling first. */
function why(one: Served, other: Served): string {
  const [key, otherKey] = [one, other].map(({ chain }) => chain?.[0]?.keyName);
  if (key !== undefined && otherKey !== undefined && key !== otherKey) return `the key is ${key}, there ${otherKey}`;
  if (!sameNames(one.dnsNames, other.dnsNames)) return `it names ${nameSome(one.dnsNames)}, there ${nameSome(other.dnsNames)}`;
  if (one.issuer !== other.issuer) return `it was issued by ${shorten(one.issuer)}, there by ${shorten(other.issuer)}`;
  if (dayText(one.notBefore) !== dayText(other.notBefore))
    return `it was issued on ${dayText(one.notBefore)}, there on ${dayText(other.notBefore)}`;
  return "they were issued on the same day for the same names";
}
