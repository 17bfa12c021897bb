import type { FindingDraft, RepairAction } from "../finding.ts";
import { nameSome } from "../name-some.ts";
import { centralBindings } from "../node/bound-hosts.ts";
import { deadStoreRefs } from "../node/central-symptoms.ts";
import { result, withoutEvidence } from "../node/rule-results.ts";
import { rowsOfPort } from "../node/table-rows.ts";
import { deletedProof, rowsWereDeleted } from "../node/windows-events.ts";
import type { Rule } from "../rule.ts";
import type { Evident, View } from "../view.ts";

type Configured = Evident<"configuration">;

/** A leftover of IIS 6 in the configuration. */
export const legacyBindingData: Rule = {
  code: "legacy-binding-data",
  title: "The configuration holds old certificate data that deletes rows",
  severity: "warning",
  tier: "node",
  source: "docs/bindings.md",
  explains:
    "A `customMetadata` entry with property 5506 in applicationHost.config is certificate data of IIS 6. When the service starts it makes IIS rebuild rows of the binding table from it: events 15300 and 15301, " +
    "and rows that were right before are gone. It works until the next restart.",
  remedy:
    "Take the property 5506 out of `system.applicationHost/customMetadata` of applicationHost.config (keep a copy), then add the missing rows again.",
  check(view) {
    const nodes = view.having("configuration").filter(({ part }) => part.legacyBindingData !== undefined);
    if (nodes.length === 0) return withoutEvidence(view, "configuration", ["iis"]);
    const concerned = nodes.filter(({ part }) => part.legacyBindingData === true);
    const struck = concerned.filter(({ evidence }) => rowsWereDeleted(evidence));
    const waiting = concerned.filter((node) => !struck.includes(node));
    return result([...struck.map((node) => struckFinding(view, node)), ...waitingFinding(waiting)]);
  },
};

const PROPERTY = "take property 5506 out of system.applicationHost/customMetadata of applicationHost.config";

function struckFinding(view: View, node: Configured): FindingDraft {
  const { name } = node.node;
  return {
    summary: `${name} loses rows of its table at every start`,
    nodes: [name],
    hosts: [],
    proof: [{ text: "customMetadata holds property 5506", source: node.part.source }, ...deletedProof(node.evidence)],
    remedy: `On ${name} ${PROPERTY}; then add the missing rows.`,
    effect: "Rows stay over a restart.",
    actions: [{ do: "manual", node: name, text: PROPERTY }, ...missingRows(node)],
    explains: deadStoreRefs(view, node),
    certainty: "certain",
    severity: "error",
  };
}

function missingRows({ node, evidence: { table, bindings } }: Configured): readonly RepairAction[] {
  if (table === undefined) return [];
  const ports = [...new Set(centralBindings(bindings).map(({ port }) => port))].filter(
    (port) => rowsOfPort(table, port)?.central === undefined,
  );
  return ports.map((port) => ({ do: "add-central-row", node: node.name, port }));
}

function waitingFinding(nodes: readonly Configured[]): readonly FindingDraft[] {
  const [first] = nodes;
  if (first === undefined) return [];
  const names = nodes.map(({ node }) => node.name);
  return [
    {
      summary: `${nameSome(names)} will lose rows of ${names.length === 1 ? "its table" : "their tables"} at the next start`,
      nodes: names,
      hosts: [],
      proof: [{ text: "customMetadata holds property 5506", source: first.part.source }],
      remedy: `Before the next restart ${PROPERTY}.`,
      effect: "Rows stay over a restart.",
      actions: [{ do: "manual", text: PROPERTY }],
      explains: [],
      certainty: "certain",
    },
  ];
}
