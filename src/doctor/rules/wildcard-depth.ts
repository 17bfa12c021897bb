import { checkMissingFiles, fileNameFor, onNodes, type MissingGroup } from "../files/missing-files.ts";
import { wildcardOf, toUnicodeHost, type HostName } from "../../base/index.ts";
import { firstInLine } from "../files/answering-files.ts";
import { storeSights } from "../files/store-sights.ts";
import type { FindingDraft, RepairAction } from "../finding.ts";
import { nameSome } from "../name-some.ts";
import type { Rule, RuleResult } from "../rule.ts";
import type { View } from "../view.ts";
import { groupBy } from "../group-by.ts";
import { plural } from "../wire/groups.ts";
import { servedOf } from "../wire/served.ts";

/** A wildcard stands for one label, no more and no less. */
export const wildcardDepth: Rule = {
  code: "wildcard-depth",
  title: "A wildcard certificate is for names of another level",
  severity: "error",
  tier: "host",
  source: "https://www.rfc-editor.org/rfc/rfc9525#section-6.3",
  explains:
    "`*.example.com` covers www.example.com. It covers neither example.com itself nor a.shop.example.com: a wildcard stands for exactly the left-most label. " +
    "The file `_.example.com.pfx` is not even looked at for these names, and where its certificate is served nevertheless, clients refuse it.",
  remedy:
    "Have a certificate issued for the name itself, or for the wildcard of its own level (`*.shop.example.com`, file `_.shop.example.com.pfx`), or add the name to the certificate and copy the file under that name.",
  check(view) {
    const files = checkMissingFiles(view, "wildcard-depth", (group) => tellFile(view, group));
    const explained = new Set(
      files.status === "found" ? files.findings.flatMap(({ explains }) => explains.map(({ node, host }) => `${host} ${node}`)) : [],
    );
    const seen = onTheWire(view, explained);
    if (seen.length > 0) return { status: "found", findings: [...(files.status === "found" ? files.findings : []), ...seen] };
    return files.status === "could-not-look" && view.examination.cells.length > 0 ? ({ status: "passed" } satisfies RuleResult) : files;
  },
};

const remedyFor = (host: HostName): string => {
  const wildcard = wildcardOf(host);
  return `Have a certificate issued for ${host}${wildcard === undefined || host.split(".").length < 3 ? "" : ` or ${wildcard}`}.`;
};
const EFFECT = "The nodes serve these hosts with a certificate that clients accept; other names keep theirs.";

/** Others list the host's own file, so the node's listing is behind: a certfarm node reads it again. */
function listedElsewhere(view: View, { sight, host }: MissingGroup["first"]): readonly RepairAction[] | undefined {
  const isListed = storeSights(view).some((peer) => peer !== sight && firstInLine(peer, host) !== undefined);
  if (!isListed || sight.node.evidence?.make !== "certfarm") return undefined;
  return [{ do: "resync", node: sight.node.name, part: "certificates", host }];
}

function tellFile(view: View, { hosts, nodes, first }: MissingGroup) {
  const wildcard = wildcardOf(first.host);
  const file = first.file?.name ?? "";
  return {
    summary: `${nameSome(hosts)} ${hosts.length === 1 ? "is" : "are"} not covered by ${file}${onNodes(view, nodes)}: a wildcard stands for one label`,
    proof: [{ text: `${file} is there, which serves names of another level`, source: first.sight.source }],
    remedy: remedyFor(first.host),
    effect: EFFECT,
    actions: listedElsewhere(view, first) ?? [
      {
        do: "manual" as const,
        text: `Put the new certificate into the central certificates as ${fileNameFor(first.host)}${wildcard === undefined ? "" : ` or ${toUnicodeHost(wildcard).replace("*", "_")}.pfx`}`,
      },
    ],
  };
}

interface Seen {
  readonly node: string;
  readonly host: HostName;
  readonly wildcard: string;
}

/** Without a listing: what is served is a wildcard that misses the host by its level. */
function onTheWire(view: View, explained: ReadonlySet<string>): readonly FindingDraft[] {
  const seen = view.symptoms.flatMap((symptom): readonly Seen[] => {
    const { node, host, kind } = symptom;
    const cell = view.cellOf(symptom);
    if (kind !== "wrong-name" || cell === undefined || explained.has(`${host} ${node}`)) return [];
    const wildcard = servedOf(cell)?.dnsNames.find((name) => isOfAnotherLevel(name, host));
    return wildcard === undefined ? [] : [{ node, host, wildcard }];
  });
  const byHost = [...groupBy(seen, ({ host, wildcard }) => `${host} ${wildcard}`).values()];
  const groups = groupBy(byHost, (ofHost) => `${ofHost[0]?.wildcard ?? ""} ${ofHost.map(({ node }) => node).join(" ")}`);
  return [...groups.values()].flatMap((group) => draftSeen(view, group.flat()));
}

/** `*.example.com` for example.com or a.b.example.com. */
function isOfAnotherLevel(name: string, host: HostName): boolean {
  if (!name.startsWith("*.")) return false;
  const parent = name.slice(2);
  return parent.includes(".") && (host === parent || (host.endsWith(`.${parent}`) && host.slice(0, -parent.length - 1).includes(".")));
}

function draftSeen(view: View, seen: readonly Seen[]): readonly FindingDraft[] {
  const [first] = seen;
  if (first === undefined) return [];
  const { host, wildcard, node } = first;
  const hosts = [...new Set(seen.map((each) => each.host))];
  const nodes = [...new Set(seen.map((each) => each.node))];
  const right = view.nodes.filter(({ name }) => view.healthy(name, host)).map(({ name }) => name);
  const proof = { text: `the certificate names ${wildcard}, which does not cover ${host}`, source: `probe of ${node} for ${host}` };
  const shared = {
    summary: `${nameSome(hosts)} ${plural(hosts, "gets", "get")} a certificate for ${wildcard} from ${nameSome(nodes)}: a wildcard stands for one label`,
    nodes,
    hosts,
    effect: EFFECT,
    actions: [],
    explains: seen.map((each) => ({ node: each.node, host: each.host })),
  };
  if (right.length === 0) return [{ ...shared, proof: [proof], remedy: remedyFor(host), certainty: "certain" }];
  return [
    {
      ...shared,
      proof: [proof, { text: `${nameSome(right)} ${plural(right, "serves", "serve")} ${host} well`, source: `probe of ${right[0] ?? ""}` }],
      remedy: `Give ${nameSome(nodes)} the certificate that ${nameSome(right)} ${plural(right, "serves", "serve")}.`,
      certainty: "likely",
      others: ["the node lacks the file, row or binding for the host and falls back to the wildcard's certificate"],
      decides: "the node's listing of the central certificates and its binding table",
    },
  ];
}
