import { chainTrouble, intermediatesOf } from "../files/chains.ts";
import { expectedLeaves } from "../files/expected-leaves.ts";
import { rereadActions } from "../files/reread-actions.ts";
import { storeSights } from "../files/store-sights.ts";
import { groupAlike, servedCells, type ServedCell, type ServedGroup } from "../files/served-cells.ts";
import type { ExaminedNode } from "../examination.ts";
import type { FindingDraft, Proof, RepairAction } from "../finding.ts";
import { nameSome } from "../name-some.ts";
import type { Rule } from "../rule.ts";
import { shorten } from "../shorten.ts";
import type { View } from "../view.ts";
import { checkFindings, illRefs, plural, probeOf, type Group } from "../wire/groups.ts";

/** A link between the certificate and the root is not sent. */
export const intermediateMissing: Rule = {
  code: "intermediate-missing",
  title: "A node does not send the issuer's certificate",
  severity: "error",
  tier: "host",
  source: "https://www.rfc-editor.org/rfc/rfc8446#section-4.4.2",
  explains:
    "The server must send the intermediate certificates with its own. Browsers often know them from elsewhere or fetch them; curl, Java, Python and most programs do not, and refuse. " +
    "IIS does not send the chain that is in the PFX: Windows builds it from the stores of that very server, so one server may lack what the others have. certfarm, nginx and HAProxy send what is in the file.",
  remedy:
    "IIS: import the intermediate into the store `Intermediate Certification Authorities` of that server (`certutil -addstore CA intermediate.cer`), then restart IIS. " +
    "Elsewhere: write the file anew with its chain (`openssl pkcs12 -export -in chain.pem -inkey key.pem -out FILE`).",
  check(view) {
    const found = servedCells(view).filter((each) => isMissing(view, each));
    return checkFindings(
      view,
      groupAlike(view, found, (each) => `${each.served.issuer} ${chainTrouble(view, each) ?? ""}`).map((group) => draft(view, group)),
    );
  },
};

function isMissing(view: View, found: ServedCell): boolean {
  const trouble = chainTrouble(view, found);
  return trouble === "incomplete" || trouble === "leaf-alone";
}

function draft(view: View, group: ServedGroup): FindingDraft {
  const { nodes, hosts, first: found } = group;
  const issuer = shorten(found.served.issuer);
  const trouble = chainTrouble(view, found);
  const told = inside(view, found);
  const peers = peerProof(view, found);
  return {
    summary: `${nameSome(nodes)} ${plural(nodes, "does", "do")} not send the certificate of ${issuer} for ${nameSome(hosts)}`,
    nodes,
    hosts,
    proof: [{ text: sentText(found), source: probeOf(found.cell) }, ...peers, ...told],
    remedy: `Give ${nameSome(nodes)} the intermediate certificate ${issuer}.`,
    effect: "Clients that do not know the intermediate from elsewhere accept the certificate.",
    actions: actionsOf(view, group),
    explains: illRefs(view, group.cells),
    ...(trouble === "incomplete" || told.length > 0
      ? { certainty: "certain" }
      : {
          certainty: "likely",
          others: [`${issuer} is a private authority that this machine does not trust`],
          decides: "`--ca FILE` with the authority's root, or the chain in the certificate's file",
        }),
  };
}

function sentText(found: ServedCell): string {
  const sent = intermediatesOf(found.served);
  const verdict = found.served.verified === true ? "" : ` (${found.served.verified})`;
  if ((found.served.chain?.length ?? found.served.chainLength) < 2) return `it sends its own certificate alone${verdict}`;
  return `it sends ${sent.length === 0 ? "no intermediate" : nameSome(sent.map(({ subject }) => shorten(subject)))} beside its own certificate${verdict}`;
}

/** A node that sends the same leaf, or one of the same issuer, with the link. */
function peerProof(view: View, found: ServedCell): readonly Proof[] {
  const good = servedCells(view).filter(({ served }) => served.verified === true && served.issuer === found.served.issuer);
  const peer = good.find(({ served }) => served.sha256 === found.served.sha256) ?? good[0];
  if (peer === undefined) return [];
  const sent = intermediatesOf(peer.served);
  const what = sent.length === 0 ? `${peer.served.chainLength} certificates` : nameSome(sent.map(({ subject }) => shorten(subject)));
  return [
    {
      text: `${peer.cell.node} sends ${what}${peer.served.sha256 === found.served.sha256 ? " with the same certificate" : ` for ${peer.cell.host}`}`,
      source: probeOf(peer.cell),
    },
  ];
}

/** What the node's own store or its file says of the chain. */
function inside(view: View, found: ServedCell): readonly Proof[] {
  const node = view.nodes.find(({ name }) => name === found.cell.node);
  if (node === undefined) return [];
  const installed = node.evidence?.certificates?.find(({ thumbprint }) => thumbprint === found.served.thumbprint);
  if (installed?.chain?.complete === false)
    return [{ text: `the chain does not build there: ${installed.chain.problem ?? "an issuer is not found"}`, source: installed.source }];
  return node.evidence?.make === "iis" ? [] : inFile(view, node, found);
}

function inFile(view: View, node: ExaminedNode, { cell, served }: ServedCell): readonly Proof[] {
  const expected = expectedLeaves(view, node, cell.host)?.leaves.find(({ thumbprint }) => thumbprint === served.thumbprint);
  const sight = storeSights(view).find((each) => each.node === node);
  const file = sight?.files.find(({ name, reading }) => name === expected?.file && reading?.facts?.chainEnds === "leaf-only");
  return file === undefined || sight === undefined
    ? []
    : [{ text: `${file.name} holds no certificate of the issuer`, source: sight.source }];
}

function actionsOf(view: View, group: Group): readonly RepairAction[] {
  const { nodes, hosts } = group;
  const reread = rereadActions(view, group, ({ reading }) => reading?.facts !== undefined && reading.facts.chainEnds !== "leaf-only");
  if (reread !== undefined) return reread;
  const made = new Map(view.nodes.map(({ name, evidence }) => [name, evidence?.make]));
  const iis = nodes.filter((node) => made.get(node) === "iis");
  const others = nodes.filter((node) => made.get(node) !== "iis");
  return [
    ...iis.map((node): RepairAction => ({ do: "manual", node, text: "certutil -addstore CA intermediate.cer, then iisreset" })),
    ...(others.length === 0
      ? []
      : [
          {
            do: "manual",
            text: `Write the file of ${nameSome(hosts)} anew with its chain: openssl pkcs12 -export -in chain.pem -inkey key.pem -out FILE`,
          } as const,
        ]),
  ];
}
