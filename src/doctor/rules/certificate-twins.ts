import type { HostName } from "../../base/index.ts";
import { answeringFiles } from "../files/answering-files.ts";
import { leafText, spanText } from "../files/certificate-text.ts";
import { expectedLeaves } from "../files/expected-leaves.ts";
import { quoted } from "../files/commands.ts";
import { NO_SIGHT, storeSights, type StoreSight } from "../files/store-sights.ts";
import { groupAlike, servedCells, type ServedCell, type ServedGroup } from "../files/served-cells.ts";
import type { CentralFile } from "../evidence.ts";
import type { CellRef, FindingDraft, Proof, RepairAction, Severity } from "../finding.ts";
import { nameSome } from "../name-some.ts";
import type { Rule } from "../rule.ts";
import type { View } from "../view.ts";
import { groupBy } from "../group-by.ts";
import { plural, probeOf } from "../wire/groups.ts";

/** Two certificates compete for one name. */
export const certificateTwins: Rule = {
  code: "certificate-twins",
  title: "Two files compete for one host",
  severity: "warning",
  tier: "host",
  source: "https://github.com/win-acme/win-acme/issues/1666",
  explains:
    "A host has two certificates: a file of its own beside the wildcard's, where a node goes on with the wildcard's after the exact file was added; or two files whose names differ in nothing but case, on a share that keeps them apart. " +
    "Which one a node serves then depends on when it looked. An RSA file beside an ECDSA file is no such case.",
  remedy:
    "Remove the file that is not wanted. Where a node still serves the wildcard's certificate, wait for its polling interval, then make it read its certificates again (certfarm: `certfarm repair`; IIS: `iisreset`).",
  check(view) {
    const sights = storeSights(view);
    if (sights.length === 0) return { status: "could-not-look", why: NO_SIGHT };
    const findings = [...twins(view, sights), ...shadowed(view)];
    return findings.length === 0 ? { status: "passed" } : { status: "found", findings };
  },
};

interface Twins {
  readonly sight: StoreSight;
  readonly host: HostName;
  readonly files: readonly CentralFile[];
}

/** Files of one name, but for case, and with different content; and those of which nodes serve one here and one there. */
function twins(view: View, sights: readonly StoreSight[]): readonly FindingDraft[] {
  const found = sights.flatMap((sight) =>
    view.examination.hosts.flatMap(({ name: host }): readonly Twins[] => {
      const files = competing(answeringFiles(sight, host)?.files ?? []);
      if (files.length < 2) return [];
      const isCase = new Set(files.map(({ name }) => name.toLowerCase())).size < files.length;
      return isCase || servedLeaves(view, host, files).size > 1 ? [{ sight, host, files }] : [];
    }),
  );
  const groups = groupBy(found, ({ files }) => files.map(({ name }) => name).join("/"));
  return [...groups.values()].flatMap((group) => twinsDraft(view, group));
}

/** Files with different certificates of the same type of key. */
function competing(files: readonly CentralFile[]): readonly CentralFile[] {
  if (files.length < 2) return [];
  const perType = [...groupBy(files, ({ reading }) => reading?.facts?.leaf.keyType ?? "").values()];
  return (
    perType.find(
      (group) => new Set(group.map(({ reading, digest, name }) => reading?.facts?.leaf.thumbprint ?? digest ?? name)).size > 1,
    ) ?? []
  );
}

function servedLeaves(view: View, host: HostName, files: readonly CentralFile[]): ReadonlySet<string> {
  const held = new Set(files.flatMap(({ reading }) => reading?.facts?.leaf.thumbprint ?? []));
  return new Set(
    view
      .cellsFor(host)
      .flatMap(({ probes: { sni } }) =>
        sni?.outcome.kind === "served" && held.has(sni.outcome.thumbprint) ? [sni.outcome.thumbprint] : [],
      ),
  );
}

function twinsDraft(view: View, group: readonly Twins[]): readonly FindingDraft[] {
  const [first] = group;
  if (first === undefined) return [];
  const { sight, files } = first;
  const nodes = [...new Set(group.map((each) => each.sight.node.name))];
  const hosts = [...new Set(group.map(({ host }) => host))];
  const asked = new Set<string>(hosts);
  const explains: readonly CellRef[] = view.symptoms
    .filter(({ host, kind }) => kind === "differs" && asked.has(host))
    .map(({ node, host }) => ({ node, host }));
  return [
    {
      summary: `${nameSome(files.map(({ name }) => name))} compete for ${nameSome(hosts)}`,
      nodes,
      hosts,
      proof: [
        {
          text: files
            .slice(0, 3)
            .map((file) => `${file.name}: ${fileText(file)}`)
            .join("; "),
          source: sight.source,
        },
        ...(explains.length === 0
          ? []
          : [{ text: "nodes serve one here and the other there", source: `probes of ${nameSome(view.nodes.map(({ name }) => name))}` }]),
      ],
      remedy: `Keep the one that is wanted and remove the other.`,
      effect: `Every node serves ${nameSome(hosts)} from the file that is left.`,
      actions: [
        {
          do: "manual",
          text: `Move ${nameSome(files.slice(1).map(({ name }) => quoted(name)))} out of the folder of the central certificates, if ${quoted(files[0]?.name ?? "")} is the one that is wanted`,
        },
      ],
      explains,
      certainty: "certain",
      severity: explains.length > 0 ? "error" : "warning",
    },
  ];
}

const fileText = ({ reading, size }: CentralFile): string =>
  reading?.facts === undefined ? `${size} octets` : leafText(reading.facts.leaf);

/** Cells that show the wildcard's certificate although the host has a file of its own. */
function shadowed(view: View): readonly FindingDraft[] {
  const sightOf = new Map(storeSights(view).map((sight) => [sight.node.name, sight]));
  const found = servedCells(view).filter((each) => {
    const sight = sightOf.get(each.cell.node);
    return sight !== undefined && wildcardFile(sight, each) !== undefined;
  });
  return groupAlike(view, found, (each) => severityOf(view, each)).map((group) => shadowedDraft(view, group, sightOf));
}

/** The wildcard file whose certificate is shown instead of the exact one. */
function wildcardFile(sight: StoreSight, { cell, served }: ServedCell): CentralFile | undefined {
  const found = answeringFiles(sight, cell.host);
  if (
    found?.via !== "exact" ||
    found.files.some(({ reading }) => reading?.facts === undefined || reading.facts.leaf.thumbprint === served.thumbprint)
  )
    return undefined;
  const wildcard = sight.candidates(cell.host).classes.find(({ via }) => via === "wildcard");
  return wildcard?.files.find(({ reading }) => reading?.facts?.leaf.thumbprint === served.thumbprint);
}

function severityOf(view: View, { cell }: ServedCell): Severity {
  const node = view.nodes.find(({ name }) => name === cell.node);
  const expected = node === undefined ? undefined : expectedLeaves(view, node, cell.host);
  const changed = expected?.leaves[0].modifiedAt;
  return changed !== undefined && view.examination.at - changed <= (expected?.noticesWithinMs ?? 0) ? "notice" : "error";
}

function shadowedDraft(view: View, group: ServedGroup, sightOf: ReadonlyMap<string, StoreSight>): FindingDraft {
  const { nodes, hosts, first } = group;
  const sight = sightOf.get(first.cell.node);
  const exact = sight === undefined ? undefined : answeringFiles(sight, first.cell.host)?.files[0];
  const wildcard = sight === undefined ? undefined : wildcardFile(sight, first)?.name;
  const asked = new Set<string>(hosts);
  const names = exact?.name ?? "a file of its own";
  const waits = severityOf(view, first) === "notice";
  return {
    summary: `${nameSome(nodes)} ${plural(nodes, "serves", "serve")} ${nameSome(hosts)} from ${wildcard ?? "the wildcard"}, although ${names} is there`,
    nodes,
    hosts,
    proof: [{ text: leafText(first.served), source: probeOf(first.cell) }, ...exactProof(view, exact, sight)],
    remedy: waits
      ? `Wait: ${nameSome(nodes)} should notice the file by ${plural(nodes, "itself", "themselves")}.`
      : `Have ${nameSome(nodes)} read the certificates again, or remove the file that is not wanted.`,
    effect: `${nameSome(hosts)} ${plural(hosts, "is", "are")} served from ${names}.`,
    actions: waits ? [] : nodes.map((node) => readAgain(node, sightOf.get(node)?.make)),
    explains: view.symptoms.filter(({ host, kind }) => kind === "differs" && asked.has(host)).map(({ node, host }) => ({ node, host })),
    certainty: "certain",
    severity: waits ? "notice" : "error",
  };
}

const readAgain = (node: string, make: StoreSight["make"] | undefined): RepairAction =>
  make === "certfarm" ? { do: "resync", node, part: "certificates" } : { do: "manual", node, text: "iisreset" };

function exactProof(view: View, exact: CentralFile | undefined, sight: StoreSight | undefined): readonly Proof[] {
  if (exact === undefined || sight === undefined) return [];
  const age = exact.modifiedAt === undefined ? "" : `, changed ${spanText(view.examination.at - exact.modifiedAt)} ago`;
  return [{ text: `${exact.name} holds ${fileText(exact)}${age}`, source: sight.source }];
}
