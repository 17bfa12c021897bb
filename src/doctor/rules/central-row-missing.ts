import type { TableEvidence } from "../evidence.ts";
import type { FindingDraft, Proof } from "../finding.ts";
import { nameSome } from "../name-some.ts";
import { askText, centralBindings } from "../node/bound-hosts.ts";
import { centralSymptoms, refsOf } from "../node/central-symptoms.ts";
import { makeName, result, withoutEvidence } from "../node/rule-results.ts";
import { rowsOfPort } from "../node/table-rows.ts";
import { deletedProof, rowsWereDeleted } from "../node/windows-events.ts";
import type { Rule } from "../rule.ts";
import type { Evident, View } from "../view.ts";

/** The seed of it all: the configuration asks for central certificates, and the node's own table never got the row that makes them work. */
export const centralRowMissing: Rule = {
  code: "central-row-missing",
  title: "A node has no central row",
  severity: "error",
  tier: "node",
  source:
    "https://learn.microsoft.com/en-us/iis/get-started/whats-new-in-iis-8/iis-80-centralized-ssl-certificate-support-ssl-scalability-and-manageability",
  explains:
    "Sites of this node ask for certificates of the central store, but its binding table has no central row for the port. The table is each server's own: " +
    "shared configuration does not carry it, and IIS Manager writes it only on the machine where it runs. Without the row every handshake is reset (IIS) or refused (certfarm), " +
    "while the configuration looks right and the certificates are listed without an error. A restart does not help.",
  remedy:
    "certfarm: `certfarm repair`, or set the node to `reconcile: mend`. IIS: on that server `netsh http add sslcert ccs=443 appid={4dc3e181-e14b-4a21-b022-59fc669b0914}`; " +
    "`certfarm repair --script` writes it with its checks.",
  check(view) {
    const tables = view.having("table");
    if (tables.length === 0) return withoutEvidence(view, "table");
    const concerned = tables.filter(({ evidence }) => evidence.bindings === undefined || centralBindings(evidence.bindings).length > 0);
    if (concerned.length === 0) return { status: "not-applicable", why: "no site asks for central certificates" };
    return result(
      concerned.filter(mayHaveRow).flatMap((node) => missingPorts(tables, node).flatMap((port) => findings(view, { tables, node, port }))),
    );
  },
};

type Table = Evident<"table">;

/** Where the feature is off, or rows are wiped at each start, another rule names the cause. */
const mayHaveRow = ({ evidence }: Table): boolean =>
  evidence.central?.installed !== false && evidence.central?.enabled !== false && !rowsWereDeleted(evidence);

const hasRow = ({ part }: Table, port: number): boolean => rowsOfPort(part, port)?.central !== undefined;

/** Ports that this node's bindings ask for; where they are not known, those that its peers have central rows for. */
function missingPorts(tables: readonly Table[], node: Table): readonly number[] {
  const { bindings } = node.evidence;
  const wanted =
    bindings === undefined
      ? tables.flatMap(({ part }) => part.rows.flatMap(({ key }) => (key.kind === "central" ? [key.port] : [])))
      : centralBindings(bindings).map(({ port }) => port);
  return [...new Set([...wanted, ...driftedPorts(node)])].filter((port) => !hasRow(node, port)).toSorted((a, b) => a - b);
}

/** Ports for which a certfarm node itself says that the row is missing. */
const driftedPorts = ({ part }: Table): readonly number[] =>
  (part.drift ?? []).flatMap(({ kind, key }) => (kind === "missing" && key.kind === "central" ? [key.port] : []));

interface Case {
  readonly tables: readonly Table[];
  readonly node: Table;
  readonly port: number;
}

function findings(view: View, { tables, node, port }: Case): readonly FindingDraft[] {
  const name = node.node.name;
  const symptoms = centralSymptoms(view, node).filter((symptom) => symptom.port === port && symptom.how !== "other");
  const guessed = node.evidence.bindings === undefined && !driftedPorts(node).includes(port);
  // Without its bindings only what fails shows that the node wants the row.
  if (guessed && symptoms.length === 0) return [];
  return [
    {
      summary: `${name} has no central row on port ${port}`,
      nodes: [name],
      hosts: [],
      about: String(port),
      proof: [
        { text: rowsText(node.part, port), source: node.part.source },
        ...bindingsProof(node, port),
        ...peersProof(tables, port),
        ...deletedProof(node.evidence),
      ],
      remedy:
        node.evidence.make === "certfarm"
          ? `Have ${name} mend its table: certfarm repair, or set it to \`reconcile: mend\`.`
          : `On ${name}: netsh http add sslcert ccs=${port} appid={4dc3e181-e14b-4a21-b022-59fc669b0914}`,
      effect: `${name} chooses certificates of the central store for port ${port}; rows with a higher rank keep theirs.`,
      actions: [{ do: "add-central-row", node: name, port }],
      explains: refsOf(symptoms.map(({ symptom }) => symptom)),
      ...(guessed
        ? {
            certainty: "likely",
            others: [`the sites of ${name} do not ask for central certificates`],
            decides: `the bindings of ${name}: its applicationHost.config`,
          }
        : { certainty: "certain" }),
    },
  ];
}

function bindingsProof({ evidence }: Table, port: number): readonly Proof[] {
  const bindings = centralBindings(evidence.bindings).filter((binding) => binding.port === port);
  if (bindings.length === 0) return [];
  const names = nameSome(bindings.map(({ host, site }) => host ?? site));
  return [
    {
      text: `${askText(bindings.length)} for a central certificate on port ${port}: ${names}`,
      source: evidence.bindings?.source ?? makeName(evidence.make),
    },
  ];
}

function peersProof(tables: readonly Table[], port: number): readonly Proof[] {
  const others = tables.filter((other) => hasRow(other, port));
  const [first] = others;
  if (first === undefined) return [];
  return [
    { text: `${nameSome(others.map(({ node }) => node.name))} ${others.length === 1 ? "has" : "have"} the row`, source: first.part.source },
  ];
}

function rowsText({ rows }: TableEvidence, port: number): string {
  const onPort = rows.filter(({ key }) => key.port === port).length;
  return onPort === 0
    ? `no row at all on port ${port}`
    : `${onPort} ${onPort === 1 ? "row" : "rows"} on port ${port}, none of them central`;
}
