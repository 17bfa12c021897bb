import { intermediatesOf, sharedLeaves } from "../files/chains.ts";
import { groupAlike, type ServedCell, type ServedGroup } from "../files/served-cells.ts";
import type { FindingDraft } from "../finding.ts";
import { nameSome } from "../name-some.ts";
import type { Rule } from "../rule.ts";
import { shorten } from "../shorten.ts";
import type { View } from "../view.ts";
import { groupBy } from "../group-by.ts";
import { checkFindings, plural, probeOf } from "../wire/groups.ts";
import { servedOf } from "../wire/served.ts";

/** The same certificate with different chains. */
export const chainDiffers: Rule = {
  code: "chain-differs",
  title: "Nodes send different chains with the same certificate",
  severity: "warning",
  tier: "host",
  source: "https://www.rfc-editor.org/rfc/rfc4158",
  explains:
    "The nodes present one certificate, and other intermediates with it: an old cross-signed one here, the present one there. Windows chooses the path by what lies in the stores of that server. " +
    "Old clients then accept some nodes and refuse others. A root that is sent along does no harm and is a notice only.",
  remedy:
    "Make the stores alike: on Windows compare `certutil -store CA` of the servers and delete or disable the intermediate that is not wanted; elsewhere use the same file on every node.",
  check(view) {
    const odd = sharedLeaves(view).flatMap(oddOnes);
    return checkFindings(
      view,
      groupAlike(view, odd, (found) => fingerprint(found)).map((group) => draft(view, group)),
    );
  },
};

const all = ({ served: { chain = [] } }: ServedCell): string =>
  chain
    .slice(1)
    .map(({ sha256 }) => sha256)
    .join(" ");
const fingerprint = ({ served }: ServedCell): string =>
  intermediatesOf(served)
    .map(({ sha256 }) => sha256)
    .toSorted()
    .join(" ");

/** Those that send another chain than most; chains that are not trusted have a cause of their own. */
function oddOnes(cells: readonly ServedCell[]): readonly ServedCell[] {
  const good = cells.filter(({ served }) => served.verified === true || served.verified === "NOT_CHECKED");
  const byChain = [...groupBy(good, all).values()].toSorted((a, b) => b.length - a.length);
  return byChain.slice(1).flat();
}

/** The chain that most nodes send with the leaf of this cell. */
function usual(view: View, { served, cell }: ServedCell): ServedCell | undefined {
  const others = view.cellsFor(cell.host).flatMap((other): readonly ServedCell[] => {
    const shown = servedOf(other);
    return shown?.sha256 === served.sha256 && shown.chain !== undefined ? [{ cell: other, served: shown }] : [];
  });
  return [...groupBy(others, all).values()].toSorted((a, b) => b.length - a.length)[0]?.[0];
}

function draft(view: View, group: ServedGroup): FindingDraft {
  const { nodes, hosts, first } = group;
  const other = usual(view, first);
  const rootOnly = other !== undefined && fingerprint(first) === fingerprint(other);
  const proof = [
    { text: `${first.cell.node} sends ${chainText(first)}`, source: probeOf(first.cell) },
    ...(other === undefined ? [] : [{ text: `${other.cell.node} sends ${chainText(other)}`, source: probeOf(other.cell) }]),
  ] as const;
  const shared = { nodes, hosts, proof, explains: [], certainty: "certain" } as const;
  if (rootOnly) {
    return {
      ...shared,
      summary: `${nameSome(nodes)} and ${other.cell.node} differ in whether they send the root with the certificate of ${nameSome(hosts)}`,
      remedy: "Nothing needs to be done: clients ignore a root that is sent.",
      effect: "Nothing changes.",
      actions: [],
      severity: "notice",
    };
  }
  return {
    ...shared,
    summary: `${nameSome(nodes)} ${plural(nodes, "sends", "send")} another chain with the certificate of ${nameSome(hosts)} than other nodes`,
    remedy: `Make the intermediate certificates on ${nameSome(nodes)} like those of the other nodes.`,
    effect: "Old clients judge every node alike.",
    actions: nodes.map((node) => ({
      do: "manual",
      node,
      text: "Compare certutil -store CA (Windows) or the chain in the file with those of another node",
    })),
  };
}

function chainText({ served }: ServedCell): string {
  const chain = served.chain?.slice(1) ?? [];
  return chain.length === 0
    ? "no issuer's certificate"
    : nameSome(chain.map(({ subject, sha256 }) => `${shorten(subject)} (${sha256.slice(0, 8)})`));
}
