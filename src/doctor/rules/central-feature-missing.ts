import type { FindingDraft } from "../finding.ts";
import { askedProof, peersProof, wantingCentral } from "../node/central-asked.ts";
import { deadStoreRefs } from "../node/central-symptoms.ts";
import { result, withoutEvidence } from "../node/rule-results.ts";
import type { Rule } from "../rule.ts";
import type { Evident, View } from "../view.ts";

/** The Windows feature is optional, and not installed by default. */
export const centralFeatureMissing: Rule = {
  code: "central-feature-missing",
  title: "A server lacks the feature for central certificates",
  severity: "error",
  tier: "node",
  source:
    "https://learn.microsoft.com/en-us/iis/get-started/whats-new-in-iis-8/iis-80-centralized-ssl-certificate-support-ssl-scalability-and-manageability",
  explains:
    "Central certificates are an optional Windows feature. A server that joined the farm later, or was built from another image, takes over bindings that ask for them from the shared configuration, " +
    "but nothing on it can read the store: every handshake for these names is reset.",
  remedy:
    "IIS, on that server: `Install-WindowsFeature Web-CertProvider`; then turn the store on with the location and user of the other servers, and add the central row. `certfarm repair --script` writes the steps.",
  check(view) {
    const nodes = wantingCentral(view).filter(({ part }) => part.installed !== undefined);
    if (nodes.length === 0) return withoutEvidence(view, "central", ["iis"]);
    return result(nodes.filter(({ part }) => part.installed === false).map((node) => finding(view, nodes, node)));
  },
};

function finding(view: View, all: readonly Evident<"central">[], node: Evident<"central">): FindingDraft {
  const { name } = node.node;
  const peer = all.find(({ part }) => part.enabled === true && part.location !== undefined);
  const user = peer?.part.user;
  return {
    summary: `${name} lacks the feature for central certificates (Web-CertProvider)`,
    nodes: [name],
    hosts: [],
    proof: [
      { text: "the feature is not installed", source: node.part.source },
      ...askedProof(node.evidence),
      ...peersProof(
        all.filter(({ part }) => part.installed === true),
        "has it",
        "have it",
      ),
    ],
    remedy: `On ${name}: Install-WindowsFeature Web-CertProvider, then set the store's location, user and password, and add the central row.`,
    effect: `${name} reads certificates from the central store.`,
    actions: [
      { do: "manual", node: name, text: "Install-WindowsFeature Web-CertProvider" },
      ...(peer?.part.location === undefined
        ? []
        : [{ do: "set-central-store", node: name, location: peer.part.location, ...(user === undefined ? {} : { user }) } as const]),
      { do: "add-central-row", node: name, port: 443 },
    ],
    explains: deadStoreRefs(view, node),
    certainty: "certain",
  };
}
