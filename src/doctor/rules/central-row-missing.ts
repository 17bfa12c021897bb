import type { EvidenceBinding, TableEvidence } from "../evidence.ts";
import type { FindingDraft } from "../finding.ts";
import { nameSome } from "../name-some.ts";
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
    const tables = view.having("table").filter(({ evidence }) => asked(evidence.bindings?.bindings).length > 0);
    if (tables.length === 0) {
      return view.having("table").length === 0
        ? { status: "could-not-look", why: "no node's binding table was collected" }
        : { status: "not-applicable", why: "no site asks for central certificates" };
    }
    const findings = tables.flatMap((node) => missingPorts(node).map((port) => finding(view, node, port)));
    return findings.length === 0 ? { status: "passed" } : { status: "found", findings };
  },
};

const asked = (bindings: readonly EvidenceBinding[] = []): readonly EvidenceBinding[] =>
  bindings.filter(({ protocol, central }) => protocol === "https" && central);

function missingPorts({ evidence, part }: Evident<"table">): readonly number[] {
  const there = new Set(part.rows.flatMap(({ key }) => (key.kind === "central" ? [key.port] : [])));
  return [...new Set(asked(evidence.bindings?.bindings).map(({ port }) => port))]
    .filter((port) => !there.has(port))
    .toSorted((a, b) => a - b);
}

function finding(view: View, { node, evidence, part }: Evident<"table">, port: number): FindingDraft {
  const name = node.name;
  const bindings = asked(evidence.bindings?.bindings).filter((binding) => binding.port === port);
  const others = view.having("table").filter((other) => other.part.rows.some(({ key }) => key.kind === "central" && key.port === port));
  return {
    summary: `${name} has no central row on port ${port}`,
    nodes: [name],
    hosts: [],
    proof: [
      { text: rowsText(part, port), source: part.source },
      {
        text: `${bindings.length} ${bindings.length === 1 ? "binding asks" : "bindings ask"} for a central certificate on port ${port}: ${nameSome(bindings.map(({ host, site }) => host ?? site))}`,
        source: evidence.bindings?.source ?? evidence.source,
      },
      ...(others.length === 0
        ? []
        : [
            {
              text: `${nameSome(others.map((other) => other.node.name))} ${others.length === 1 ? "has" : "have"} the row`,
              source: others[0]?.part.source ?? "",
            },
          ]),
    ],
    remedy: `Add the central row for port ${port} on ${name}.`,
    effect: `${name} chooses certificates of the central store for port ${port}; rows with a higher rank keep theirs.`,
    actions: [{ do: "add-central-row", node: name, port }],
    explains: view
      .symptomsOf(name)
      .filter(({ kind }) => kind === "no-handshake" || kind === "wrong-name")
      .map(({ host }) => ({ node: name, host })),
    certainty: "certain",
  };
}

function rowsText({ rows }: TableEvidence, port: number): string {
  const onPort = rows.filter(({ key }) => key.port === port).length;
  return onPort === 0
    ? `no row at all on port ${port}`
    : `${onPort} ${onPort === 1 ? "row" : "rows"} on port ${port}, none of them central`;
}
