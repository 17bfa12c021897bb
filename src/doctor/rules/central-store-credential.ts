import type { FindingDraft } from "../finding.ts";
import { peersProof, readsStore, tryingStore } from "../node/central-asked.ts";
import { deadStoreRefs } from "../node/central-symptoms.ts";
import { result, withoutEvidence } from "../node/rule-results.ts";
import type { Rule } from "../rule.ts";
import type { Evident, View } from "../view.ts";

/** A password that was changed, and told to some servers only. */
export const centralStoreCredential: Rule = {
  code: "central-store-credential",
  title: "A node's account cannot open the central store",
  severity: "error",
  tier: "node",
  source:
    "https://learn.microsoft.com/en-us/iis/get-started/whats-new-in-iis-8/iis-80-centralized-ssl-certificate-support-ssl-scalability-and-manageability",
  explains:
    "Each server opens the share with a user and password of its own settings. When the password expires or changes, servers that were not told go on with the certificates they have in memory: " +
    "names that are asked for rarely fail first, and after a restart all of them do.",
  remedy:
    "Give the user's password again on that server: `Set-WebCentralCertProvider -UserName DOMAIN\\USER -Password …`; see that the user may read the share and the folder. It needs no more than reading. The encrypted values cannot be copied from another server.",
  check(view) {
    const nodes = tryingStore(view);
    if (nodes.length === 0) return withoutEvidence(view, "central");
    return result(nodes.flatMap((node) => findings(view, nodes, node)));
  },
};

function findings(view: View, all: readonly Evident<"central">[], node: Evident<"central">): readonly FindingDraft[] {
  const { access, location = "the central store", user } = node.part;
  if (access?.kind !== "failed" || (access.cause !== "logon" && access.cause !== "denied")) return [];
  const { name } = node.node;
  const who = user ?? "the account of the server";
  return [
    {
      summary:
        access.cause === "logon" ? `${name} cannot log on as ${who} to read ${location}` : `${name} may not read ${location} as ${who}`,
      nodes: [name],
      hosts: [],
      proof: [
        { text: `${access.cause === "logon" ? "the logon failed" : "reading was denied"}: ${access.message}`, source: node.part.source },
        ...peersProof(
          all.filter(({ part }) => readsStore(part)),
          "reads it",
          "read it",
        ),
      ],
      remedy:
        access.cause === "logon"
          ? `On ${name} give the password of ${who} again in the settings of the central store; see that the account is neither locked nor expired.`
          : `Let ${who} read ${location}: the share's permissions and those of the folder.`,
      effect: `${name} reads certificates from the central store again; those in its memory stay until then.`,
      actions: [{ do: "manual", node: name, text: `give ${who} access to ${location}` }],
      explains: deadStoreRefs(view, node, "stale-too"),
      certainty: "certain",
    },
  ];
}
