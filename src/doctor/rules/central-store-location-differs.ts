import type { FindingDraft } from "../finding.ts";
import { nameSome } from "../name-some.ts";
import { askedProof, oddLocations, wantingCentral } from "../node/central-asked.ts";
import { deadStoreRefs } from "../node/central-symptoms.ts";
import { result, withoutEvidence } from "../node/rule-results.ts";
import type { Rule } from "../rule.ts";
import type { Evident, View } from "../view.ts";

type Central = Evident<"central">;

/** The path, too, is each server's own. */
export const centralStoreLocationDiffers: Rule = {
  code: "central-store-location-differs",
  title: "A node takes central certificates from another place than its peers",
  severity: "error",
  tier: "node",
  source:
    "https://learn.microsoft.com/en-us/iis/get-started/whats-new-in-iis-8/iis-80-centralized-ssl-certificate-support-ssl-scalability-and-manageability",
  explains:
    "The location of the central store is a setting of each server's own registry. A server that points elsewhere, at an old share or at a mistyped path, finds no certificates there, or finds old ones. " +
    "Two names of one share may also look different and be right: then nothing fails, and this is only worth knowing.",
  remedy: "IIS, on that server: `Set-WebCentralCertProvider -CertStoreLocation \\\\SERVER\\SHARE`, the location that the others have.",
  check(view) {
    const nodes = wantingCentral(view).filter(({ part }) => part.location !== undefined && part.enabled !== false);
    if (nodes.length === 0) return withoutEvidence(view, "central", ["iis"]);
    if (nodes.length === 1) return { status: "not-applicable", why: "only one node tells the location of its central store" };
    return result(oddLocations(nodes).map(({ node, usual }) => finding(view, node, usual)));
  },
};

function finding(view: View, node: Central, usual: readonly Central[]): FindingDraft {
  const { name } = node.node;
  const explains = deadStoreRefs(view, node, "stale-too");
  const location = usual[0]?.part.location ?? "";
  const user = usual[0]?.part.user;
  const fails = explains.length > 0 || node.part.access?.kind === "failed";
  return {
    summary: `${name} takes central certificates from ${node.part.location ?? ""}, its peers from ${location}`,
    nodes: [name],
    hosts: [],
    proof: [
      { text: `the location is ${node.part.location ?? ""}${accessText(node)}`, source: node.part.source },
      { text: `on ${nameSome(usual.map((peer) => peer.node.name))} it is ${location}`, source: usual[0]?.part.source ?? "" },
      ...askedProof(node.evidence),
    ],
    remedy: `On ${name} set the location of the central store to ${location}.`,
    effect: `${name} serves the certificates that its peers serve.`,
    actions: [{ do: "set-central-store", node: name, location, ...(user === undefined ? {} : { user }) }],
    explains,
    certainty: "certain",
    severity: fails ? "error" : "warning",
  };
}

function accessText({ part: { access } }: Central): string {
  return access?.kind === "failed" ? `, which cannot be read: ${access.message}` : "";
}
