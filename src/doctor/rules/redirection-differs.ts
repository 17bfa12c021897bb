import type { FindingDraft } from "../finding.ts";
import { nameSome } from "../name-some.ts";
import { samePath } from "../node/central-asked.ts";
import { result, withoutEvidence } from "../node/rule-results.ts";
import { hostsUnknownTo } from "../node/unbound-hosts.ts";
import { usualOf } from "../node/usual-of.ts";
import type { Rule } from "../rule.ts";
import type { Evident, View } from "../view.ts";

type Configured = Evident<"configuration">;

/** redirection.config: off, or to another folder. */
export const redirectionDiffers: Rule = {
  code: "redirection-differs",
  title: "A server does not follow the shared configuration",
  severity: "error",
  tier: "node",
  source: "https://learn.microsoft.com/en-us/iis/configuration/configurationredirection",
  explains:
    "The file redirection.config of each server says whether it takes its configuration from a shared folder, and which. A server where that is off, or leads elsewhere, keeps sites and bindings of its own: changes never reach it.",
  remedy:
    "On that server turn the shared configuration on again, with the folder of the others: IIS Manager, Shared Configuration, or `Enable-IISSharedConfig -PhysicalPath \\\\SERVER\\SHARE`.",
  check(view) {
    const nodes = view.having("configuration").filter(({ part }) => part.redirection !== undefined);
    if (nodes.length === 0) return withoutEvidence(view, "configuration", ["iis"]);
    if (nodes.length === 1) return { status: "not-applicable", why: "only one server tells whether it follows a shared configuration" };
    const usual = usualOf(nodes, placeOf, ({ part }) => (part.redirection?.enabled === true ? 1 : 0));
    return result(nodes.filter((node) => !usual.includes(node)).map((node) => finding(view, node, usual)));
  },
};

const placeOf = ({ part: { redirection } }: Configured): string => (redirection?.enabled === true ? samePath(redirection.path ?? "") : "");

function finding(view: View, node: Configured, usual: readonly Configured[]): FindingDraft {
  const { name } = node.node;
  const explains = hostsUnknownTo(view, node, "none");
  const path = usual[0]?.part.redirection?.path;
  const peers = nameSome(usual.map((peer) => peer.node.name));
  return {
    summary: `${name} ${placeText(node)}, ${peers} ${usual.length === 1 ? placeText(usual[0]) : pluralText(usual[0])}`,
    nodes: [name],
    hosts: [],
    proof: [
      { text: `${name} ${placeText(node)}`, source: node.part.source },
      { text: `${peers}: ${path ?? "off"}`, source: usual[0]?.part.source ?? "" },
    ],
    remedy:
      path === undefined
        ? `See whether ${name} is meant to be the only one with a shared configuration.`
        : `On ${name}: Enable-IISSharedConfig -PhysicalPath ${path}`,
    effect: `${name} takes over the sites and bindings of its peers; those of its own are kept beside, not used.`,
    actions: [
      {
        do: "manual",
        node: name,
        text: path === undefined ? "see which servers share their configuration" : `Enable-IISSharedConfig -PhysicalPath ${path}`,
      },
    ],
    explains,
    certainty: "certain",
    severity: explains.length > 0 ? "error" : "warning",
  };
}

const placeText = (node: Configured | undefined): string =>
  node?.part.redirection?.enabled === true
    ? `takes its configuration from ${node.part.redirection.path ?? "a shared folder"}`
    : "does not follow a shared configuration";

const pluralText = (node: Configured | undefined): string =>
  node?.part.redirection?.enabled === true ? `take theirs from ${node.part.redirection.path ?? "a shared folder"}` : "do not follow one";
