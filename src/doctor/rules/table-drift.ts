import { wildcardOf, type HostName, type HostPattern } from "../../base/index.ts";
import type { EvidenceRow, EvidenceRowKey } from "../evidence.ts";
import type { FindingDraft, Proof, Symptom } from "../finding.ts";
import { nameSome } from "../name-some.ts";
import { refsOf } from "../node/central-symptoms.ts";
import { seenProof } from "../node/host-texts.ts";
import { isForeign } from "../node/row-owners.ts";
import { rowSights } from "../node/row-symptoms.ts";
import { keyText, namedBy } from "../node/row-texts.ts";
import { result, withoutEvidence } from "../node/rule-results.ts";
import { usualOf } from "../node/usual-of.ts";
import type { Rule } from "../rule.ts";
import type { Evident, View } from "../view.ts";
import { groupBy } from "../group-by.ts";

type Table = Evident<"table">;

/** Somebody edited the table of one node. */
export const tableDrift: Rule = {
  code: "table-drift",
  title: "A node's table is not what it should be",
  severity: "warning",
  tier: "node",
  source: "docs/bindings.md",
  explains:
    "Rows of this node's binding table differ from what the configuration asks for (certfarm), or from the rows of its peers (IIS): a certificate was renewed on one server only, or rows were changed by hand. " +
    "A certfarm node that is set to `reconcile: observe` reports the difference and leaves it.",
  remedy:
    "certfarm: `certfarm repair`, or set the node to `reconcile: mend`. IIS: give the row the hash that the other servers have, or move the site to central certificates, which need no row of their own.",
  check(view) {
    const tables = view.having("table");
    if (tables.length === 0) return withoutEvidence(view, "table");
    const peers = tables.filter(({ part }) => part.drift === undefined);
    return result([...tables.flatMap((node) => driftFinding(view, node)), ...peerFindings(view, peers)]);
  },
};

/** Central rows that are missing and rows for an address have rules of their own. */
function driftFinding(view: View, node: Table): readonly FindingDraft[] {
  const { drift = [], reconcile, source } = node.part;
  const told = drift.filter(
    ({ kind, key, mend }) => mend !== "keep" && !(kind === "missing" && key.kind === "central") && !(kind === "extra" && key.kind === "ip"),
  );
  if (told.length === 0) return [];
  const { name } = node.node;
  const keys = told.map(({ key }) => keyText(key));
  const symptoms = concernedBy(
    told.map(({ key }) => key),
    view.symptomsOf(name),
  );
  const [first] = told;
  const observes = reconcile === "observe";
  return [
    {
      summary: `${name}: ${keys.length} ${keys.length === 1 ? "row differs" : "rows differ"} from the configuration${observes ? ", and the node only observes" : ""}`,
      nodes: [name],
      hosts: [],
      proof: [
        { text: nameSome(told.map(({ key, kind }) => `${keyText(key)} is ${kind}`)), source },
        {
          text: observes ? "reconcile: observe leaves it so" : "reconcile: mend will put it right",
          source: first === undefined ? "" : node.evidence.source,
        },
        ...seenProof(symptoms),
      ],
      remedy: observes
        ? `certfarm repair mends the table of ${name} once; reconcile: mend keeps it so.`
        : "Wait for the node's next reconciliation, then look again.",
      effect: `${name} has the rows that the configuration asks for.`,
      actions: observes ? [{ do: "resync", node: name, part: "table" }] : [],
      explains: refsOf(symptoms),
      certainty: "certain",
      severity: symptoms.length > 0 ? "error" : observes ? "warning" : "notice",
    },
  ];
}

/** Symptoms of the names of these rows; of every name when rows of last rank are among them. */
function concernedBy(keys: readonly EvidenceRowKey[], symptoms: readonly Symptom[]): readonly Symptom[] {
  const names = new Set(keys.flatMap((key) => (key.kind === "host" || key.kind === "scoped-central" ? [key.host] : [])));
  const all = keys.some(({ kind }) => kind === "any");
  return symptoms.filter(({ host, kind }) => {
    if (kind === "no-connection" || kind === "request-failed") return false;
    return all || [host as string as HostPattern, wildcardOf(host)].some((name) => name !== undefined && names.has(name)); // a host is a pattern
  });
}

interface Seen {
  readonly node: Table;
  readonly row: EvidenceRow;
}

/** A row with the one that most peers have. */
interface Pair {
  readonly row: EvidenceRow;
  readonly usual: EvidenceRow;
}

/** Rows of names whose certificate is another one on most peers. */
function peerFindings(view: View, tables: readonly Table[]): readonly FindingDraft[] {
  const rows = tables.flatMap((node) => node.part.rows.filter(isNamed).map((row) => ({ node, row })));
  const odd = new Map<Table, Pair[]>();
  for (const group of groupBy(rows, ({ row }) => keyText(row.key)).values()) {
    for (const { node, row, usual } of oddOnes(view, group)) {
      const there = odd.get(node);
      if (there === undefined) odd.set(node, [{ row, usual }]);
      else there.push({ row, usual });
    }
  }
  return [...odd].map(([node, pairs]) => peerFinding(view, node, pairs));
}

const isNamed = (row: EvidenceRow): boolean => row.key.kind === "host" && row.thumbprint !== undefined && !isForeign(row);

function oddOnes(view: View, group: readonly Seen[]): readonly (Seen & Pair)[] {
  const [first] = usualOf(
    group,
    ({ row }) => row.thumbprint ?? "",
    ({ node, row }) => (rowSights(view, node).provedGood(row) ? 1 : 0),
  );
  return first === undefined
    ? []
    : group.filter(({ row }) => row.thumbprint !== first.row.thumbprint).map((seen) => ({ ...seen, usual: first.row }));
}

function peerFinding(view: View, node: Table, pairs: readonly Pair[]): FindingDraft {
  const { name } = node.node;
  const sights = rowSights(view, node);
  const symptoms = pairs.flatMap(({ row }) => [...sights.servedBy(row), ...sights.unservedBy(row)]);
  const [first] = pairs;
  const keys = pairs.map(({ row }) => keyText(row.key));
  return {
    summary: `${name}: ${nameSome(keys)} ${keys.length === 1 ? "has" : "have"} another certificate than on its peers`,
    nodes: [name],
    hosts: pairs.flatMap(({ row: { key } }) => (key.kind === "host" && !key.host.startsWith("*.") ? [key.host as string as HostName] : [])), // no `*.`: a name
    proof: [rowProof(node, first), ...seenProof(symptoms)],
    remedy: `Give ${nameSome(keys)} on ${name} the certificate that its peers have, or move the sites to central certificates.`,
    effect: `${name} serves the certificates that its peers serve.`,
    actions: [{ do: "manual", node: name, text: `give ${nameSome(keys)} the certificate of the other servers` }],
    explains: refsOf(symptoms),
    certainty: "certain",
    severity: symptoms.length > 0 ? "error" : "warning",
  };
}

const rowProof = ({ part }: Table, pair: Pair | undefined): Proof => ({
  text: pair === undefined ? "" : `${keyText(pair.row.key)} has ${namedBy(pair.row)}, on most peers ${namedBy(pair.usual)}`,
  source: part.source,
});
