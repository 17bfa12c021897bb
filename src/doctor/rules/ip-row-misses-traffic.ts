import { formatEndpoint, type Endpoint } from "../../base/index.ts";
import type { ExaminedNode } from "../examination.ts";
import type { CellRef, FindingDraft, Symptom } from "../finding.ts";
import { nameSome } from "../name-some.ts";
import { refsOf } from "../node/central-symptoms.ts";
import { hostsOf, seenProof } from "../node/host-texts.ts";
import { result, withoutEvidence } from "../node/rule-results.ts";
import { keyText, namedBy } from "../node/row-texts.ts";
import { rowsFor } from "../node/table-rows.ts";
import type { Rule } from "../rule.ts";
import type { Evident, View } from "../view.ts";

type Table = Evident<"table">;

/** Every machine has these addresses: that a node has one says nothing about floating IP. */
const isLoopback = (address: string): boolean => address === "::1" || address.startsWith("127.");

/** With direct server return the connection arrives at the balancer's own address. */
export const ipRowMissesTraffic: Rule = {
  code: "ip-row-misses-traffic",
  title: "A row is for the node's own address, but traffic arrives at the balancer's",
  severity: "error",
  tier: "node",
  source: "https://learn.microsoft.com/en-us/azure/load-balancer/load-balancer-floating-ip",
  explains:
    "With floating IP (direct server return) the balancer passes connections on with its own address, which each node has on a loopback adapter. A row for the node's own address does not match them. " +
    "Dialled directly the node looks right, through the balancer it resets the handshake or shows another certificate.",
  remedy:
    "Use rows that name no address: SNI bindings and the central row. Else every node needs a row for the balancer's address: `netsh http add sslcert ipport=VIP:443 certhash=… appid={4dc3e181-e14b-4a21-b022-59fc669b0914}`.",
  check(view) {
    if (view.balancers.length === 0) return { status: "not-applicable", why: "no balancer was dialled (--via)" };
    const tables = view.having("table").filter(({ evidence }) => evidence.addresses !== undefined);
    if (tables.length === 0) return withoutEvidence(view, view.having("table").length === 0 ? "table" : "addresses");
    return result(
      view.balancers.flatMap((balancer) =>
        balancer.endpoints
          .filter(({ address }) => !isLoopback(address))
          .flatMap((endpoint) => findings(view, { tables, balancer, endpoint })),
      ),
    );
  },
};

interface Place {
  readonly tables: readonly Table[];
  readonly balancer: ExaminedNode;
  readonly endpoint: Endpoint;
}

function findings(view: View, { tables, balancer, endpoint }: Place): readonly FindingDraft[] {
  const here = tables.filter(({ evidence }) => evidence.addresses?.includes(endpoint.address) === true);
  const symptoms = view
    .symptomsOf(balancer.name)
    .filter((symptom) => symptom.endpoint.address === endpoint.address && here.some((table) => missesAt(view, table, symptom)));
  const concerned = here.filter((table) => symptoms.some((symptom) => missesAt(view, table, symptom)));
  const [first] = concerned;
  return first === undefined ? [] : [draft(first, { concerned, endpoint, symptoms, explains: refsOf(symptoms) })];
}

/** Dialled directly an `ip` row answers well; at the balancer's address that row is not in line. */
function missesAt(view: View, { node, evidence }: Table, { host, endpoint }: Symptom): boolean {
  const direct = view.cellsOf(node.name).find((cell) => cell.host === host && cell.endpoint.address !== endpoint.address);
  if (direct === undefined || !view.healthy(node.name, host)) return false;
  const row = rowsFor(evidence, direct.endpoint, host)[0];
  return row?.key.kind === "ip" && rowsFor(evidence, endpoint, host)[0] !== row;
}

function draft(
  { node, evidence, part }: Table,
  {
    concerned,
    endpoint,
    symptoms,
    explains,
  }: { concerned: readonly Table[]; endpoint: Endpoint; symptoms: readonly Symptom[]; explains: readonly CellRef[] },
): FindingDraft {
  const names = concerned.map((table) => table.node.name);
  const [host] = hostsOf(symptoms);
  const own = node.endpoints[0];
  const row = host === undefined || own === undefined ? undefined : rowsFor(evidence, own, host)[0];
  return {
    summary: `${nameSome(names)}: no row for ${formatEndpoint(endpoint)}, where the balancer's connections arrive`,
    nodes: names,
    hosts: hostsOf(symptoms),
    about: formatEndpoint(endpoint),
    proof: [
      {
        text:
          row === undefined ? "rows are for other addresses" : `the row that answers directly is ${keyText(row.key)} with ${namedBy(row)}`,
        source: part.source,
      },
      { text: `${node.name} has the balancer's address ${endpoint.address} itself`, source: evidence.source },
      ...seenProof(symptoms),
    ],
    remedy:
      "Give these sites SNI and certificates by name, so that no row needs an address; or add a row for the balancer's address on every node.",
    effect: "Connections through the balancer get the certificate that direct ones get.",
    actions: names.map((name) => ({ do: "manual", node: name, text: `make rows that answer at ${formatEndpoint(endpoint)}` })),
    explains,
    certainty: "certain",
  };
}
