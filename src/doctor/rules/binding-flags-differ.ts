import type { HostName } from "../../base/index.ts";
import type { EvidenceBinding } from "../evidence.ts";
import type { FindingDraft } from "../finding.ts";
import { nameSome } from "../name-some.ts";
import { refsOf } from "../node/central-symptoms.ts";
import { result, withoutEvidence } from "../node/rule-results.ts";
import { usualOf } from "../node/usual-of.ts";
import type { Rule } from "../rule.ts";
import type { Evident, View } from "../view.ts";
import { groupBy } from "../group-by.ts";

type Bound = Evident<"bindings">;

/** One binding of one node, under the key that it shares with its peers. */
interface Seen {
  readonly node: Bound;
  readonly binding: EvidenceBinding;
}

/** A tool rewrote the bindings of one server and dropped what it does not know. */
export const bindingFlagsDiffer: Rule = {
  code: "binding-flags-differ",
  title: "A binding has other TLS flags on one node",
  severity: "warning",
  tier: "node",
  source: "https://learn.microsoft.com/en-us/iis/configuration/system.applicationhost/sites/site/bindings/binding",
  explains:
    "The attribute sslFlags of a binding says whether SNI is needed (1), whether the certificate is central (2), and turns protocol features off (4 and more). Tools that renew certificates on one server rewrite it and drop bits: " +
    "without the central bit the server makes a row of its own for the name, or for the address.",
  remedy:
    "Set the flags that the other servers have: IIS Manager, Bindings, or `appcmd set site` with sslFlags; then look at the rows of that server.",
  check(view) {
    const nodes = view.having("bindings").filter(({ evidence }) => evidence.make === "iis");
    if (nodes.length === 0) return withoutEvidence(view, "bindings", ["iis"]);
    if (nodes.length === 1) return { status: "not-applicable", why: "only one server tells its bindings" };
    return result(oddBindings(nodes).map(({ node, pairs }) => finding(view, node, pairs)));
  },
};

interface Pair {
  readonly binding: EvidenceBinding;
  readonly usual: EvidenceBinding;
}

function oddBindings(nodes: readonly Bound[]): readonly { readonly node: Bound; readonly pairs: readonly Pair[] }[] {
  const seen = nodes.flatMap((node) =>
    node.part.bindings.filter(({ protocol }) => protocol === "https").map((binding) => ({ node, binding })),
  );
  const odd = new Map<Bound, Pair[]>();
  for (const group of groupBy(seen, ({ binding }) => `${binding.address} ${binding.port} ${binding.host ?? ""}`).values()) {
    for (const { node, binding, usual } of oddOnes(group)) {
      const there = odd.get(node);
      if (there === undefined) odd.set(node, [{ binding, usual }]);
      else there.push({ binding, usual });
    }
  }
  return [...odd].map(([node, pairs]) => ({ node, pairs }));
}

function oddOnes(group: readonly Seen[]): readonly (Seen & Pair)[] {
  const [first] = usualOf(
    group,
    ({ binding }) => flagsText(binding),
    // Of equally many, those with central certificates are right: the bit gets lost, it does not come by itself.
    ({ binding }) => (binding.central ? 1 : 0),
  );
  if (first === undefined) return [];
  const usual = first.binding;
  return group.filter(({ binding }) => flagsText(binding) !== flagsText(usual)).map((seen) => ({ ...seen, usual }));
}

const flagsText = ({ sslFlags, sni, central }: EvidenceBinding): string => String(sslFlags ?? (sni ? 1 : 0) + (central ? 2 : 0));

function finding(view: View, { node, part }: Bound, pairs: readonly Pair[]): FindingDraft {
  const hosts = pairs.flatMap(({ binding }) => binding.host ?? []);
  const names = new Set<string>(hosts);
  const symptoms = view
    .symptomsOf(node.name)
    .filter(({ host, kind }) => names.has(host) && kind !== "no-connection" && kind !== "request-failed");
  const lost = pairs.filter(({ binding, usual }) => usual.central && !binding.central);
  const [first] = pairs;
  const text = first === undefined ? "" : `sslFlags is ${flagsText(first.binding)} instead of ${flagsText(first.usual)}`;
  return {
    summary: `${node.name}: ${text} for ${nameSome(hosts)}`,
    nodes: [node.name],
    hosts: hosts.filter((host) => !host.startsWith("*.")).map((host) => host as string as HostName), // no `*.`: a name
    proof: [
      { text: `${nameSome(pairs.map(({ binding }) => binding.host ?? binding.site))}: ${text}`, source: part.source },
      ...(lost.length === 0 ? [] : [{ text: `${lost.length} of them lost the bit for central certificates`, source: part.source }]),
    ],
    remedy: `On ${node.name} give ${nameSome(hosts)} the flags that the other servers have${first === undefined ? "" : `: sslFlags ${flagsText(first.usual)}`}.`,
    effect: "The bindings are the same on every server again; rows that came of the difference are to be taken out after it.",
    actions: [{ do: "manual", node: node.name, text: `set sslFlags of ${nameSome(hosts)} as on the other servers` }],
    explains: refsOf(symptoms),
    certainty: "certain",
    severity: symptoms.length > 0 ? "error" : "warning",
  };
}
