import type { HostName } from "../../base/index.ts";
import { asks, firstInLine } from "../files/answering-files.ts";
import { leafText, spanText } from "../files/certificate-text.ts";
import { NO_SIGHT, sameContent, storeSights, type StoreSight } from "../files/store-sights.ts";
import type { CentralFile } from "../evidence.ts";
import type { CellRef, FindingDraft, RepairAction, Severity } from "../finding.ts";
import { nameSome } from "../name-some.ts";
import type { Rule } from "../rule.ts";
import type { View } from "../view.ts";
import { groupBy } from "../group-by.ts";
import { plural } from "../wire/groups.ts";

/** Replication and certfarm's own listing are not that slow. */
const GRACE_MS = 5 * 60_000;

/** One node's copy of the store lacks what the others have. */
export const replicaBehind: Rule = {
  code: "replica-behind",
  title: "A node's copy of the certificate files is behind",
  severity: "error",
  tier: "host",
  source: "https://learn.microsoft.com/en-us/windows-server/storage/dfs-replication/dfsr-overview",
  explains:
    "The same file has another content on this node, an older one, or is not there at all: the folder is a replica (DFS Replication, rsync) that is behind, or the path leads to another server than on the other nodes (a DFS namespace with several targets). " +
    "Evidence that was collected before the file changed is not compared.",
  remedy:
    "DFS Replication: `Get-DfsrBacklog`, `dfsrdiag pollad`, and event 4012 for a folder that was given up. rsync: look at its log. Namespaces: `dfsutil diag viewdfspath PATH` on each server. certfarm: `certfarm repair` makes the node list the store again.",
  check(view) {
    const sights = storeSights(view).filter(({ own }) => own);
    if (sights.length < 2 && !(sights.length === 1 && view.examination.central !== undefined))
      return sights.length === 0
        ? { status: "could-not-look", why: NO_SIGHT }
        : { status: "not-applicable", why: "one listing has nothing to be compared with" };
    const lags = view.examination.hosts.flatMap(({ name }) => lagsOf(view, name, sights));
    if (lags.length === 0) return { status: "passed" };
    const perHost = [...groupBy(lags, ({ host }) => host).values()];
    const groups = groupBy(perHost, (ofHost) => `${severityOf(view, ofHost)} ${ofHost.map(({ sight }) => sight.node.name).join(" ")}`);
    return { status: "found", findings: [...groups.values()].flatMap((group) => draft(view, group.flat())) };
  },
};

interface Sighting {
  readonly where: string;
  readonly source: string;
  readonly file: CentralFile;
}

interface Lag {
  readonly host: HostName;
  readonly sight: StoreSight;
  /** undefined = it is not there. */
  readonly file: CentralFile | undefined;
  readonly newest: Sighting;
}

function lagsOf(view: View, host: HostName, sights: readonly StoreSight[]): readonly Lag[] {
  const meant = sights.filter((sight) => view.meant(sight.node.name, host) && asks(sight, host));
  const newest = newestOf(view, host, meant);
  if (newest === undefined) return [];
  return meant.flatMap((sight): readonly Lag[] => {
    const collected = sight.node.evidence?.at;
    // What was collected before the change shows the former file rightly.
    if (collected !== undefined && newest.file.modifiedAt !== undefined && collected < newest.file.modifiedAt) return [];
    const line = firstInLine(sight, host);
    if (line === undefined) return view.healthy(sight.node.name, host) ? [] : [{ host, sight, file: undefined, newest }];
    const file = line.files.find(({ name }) => sameName(name, newest.file.name));
    return file === undefined || !isOlder(file, newest.file) ? [] : [{ host, sight, file, newest }];
  });
}

const sameName = (one: string, other: string): boolean => one.normalize("NFC").toLowerCase() === other.normalize("NFC").toLowerCase();

/** The latest sight of the file that answers for the host, on any node or in the doctor's own listing. */
function newestOf(view: View, host: HostName, sights: readonly StoreSight[]): Sighting | undefined {
  const seen = sights.flatMap((sight): readonly Sighting[] =>
    (firstInLine(sight, host)?.files ?? []).map((file) => ({ where: sight.node.name, source: sight.source, file })),
  );
  const names = new Set(seen.map(({ file }) => file.name.toLowerCase()));
  const { central } = view.examination;
  const own = names.size === 0 || central === undefined ? [] : central.files.filter(({ name }) => names.has(name.toLowerCase()));
  const all = [...seen, ...own.map((file) => ({ where: "the store", source: central?.source ?? "", file }))];
  return all.toSorted((a, b) => ageKey(b.file) - ageKey(a.file))[0];
}

const ageKey = ({ modifiedAt, reading }: CentralFile): number => reading?.facts?.leaf.notBefore ?? modifiedAt ?? 0;

function isOlder(file: CentralFile, newest: CentralFile): boolean {
  if (sameContent(file, newest)) return false;
  const [own, other] = [file.reading?.facts?.leaf, newest.reading?.facts?.leaf];
  if (own !== undefined && other !== undefined) return own.thumbprint !== other.thumbprint && own.notBefore < other.notBefore;
  return file.modifiedAt !== undefined && newest.modifiedAt !== undefined && file.modifiedAt < newest.modifiedAt;
}

function severityOf(view: View, lags: readonly Lag[]): Severity {
  const [first] = lags;
  const changed = first?.newest.file.modifiedAt;
  if (changed !== undefined && view.examination.at - changed < GRACE_MS) return "notice";
  return lags.some(({ file, sight, host }) => file === undefined || view.symptom(sight.node.name, host) !== undefined)
    ? "error"
    : "warning";
}

function draft(view: View, lags: readonly Lag[]): readonly FindingDraft[] {
  const [first] = lags;
  if (first === undefined) return [];
  const { file, newest, sight } = first;
  const nodes = [...new Set(lags.map((lag) => lag.sight.node.name))];
  const hosts = [...new Set(lags.map(({ host }) => host))];
  const changed = newest.file.modifiedAt;
  return [
    {
      summary: `${nameSome(nodes)} ${plural(nodes, "has", "have")} ${file === undefined ? "no file" : "an older file"} for ${nameSome(hosts)}: ${plural(nodes, "its", "their")} copy of the store is behind`,
      nodes,
      hosts,
      proof: [
        { text: file === undefined ? `${newest.file.name} is not there` : `${file.name} is ${fileText(file)}`, source: sight.source },
        {
          text: `${newest.file.name} is ${fileText(newest.file)} in ${newest.where}${changed === undefined ? "" : `, changed ${spanText(view.examination.at - changed)} ago`}`,
          source: newest.source,
        },
      ],
      remedy: `Bring the copy of ${nameSome(nodes)} up to date, and see why it fell behind.`,
      effect: `${nameSome(nodes)} ${plural(nodes, "serves", "serve")} the same certificates as the other nodes.`,
      actions: lags.length === 0 ? [] : actionsOf(lags),
      explains: explained(view, lags, hosts),
      severity: severityOf(view, lags),
      certainty: "certain",
    },
  ];
}

function fileText({ reading, digest, size }: CentralFile): string {
  const leaf = reading?.facts?.leaf;
  return leaf === undefined ? `${size} octets${digest === undefined ? "" : ` with the digest ${digest.slice(0, 8)}`}` : leafText(leaf);
}

function actionsOf(lags: readonly Lag[]): readonly RepairAction[] {
  const perNode = new Map(lags.map(({ sight }) => [sight.node.name, sight.make]));
  return [...perNode].map(([node, make]): RepairAction =>
    make === "certfarm"
      ? { do: "resync", node, part: "certificates" }
      : {
          do: "manual",
          node,
          text: "Get-DfsrBacklog, or look at the log of what copies the folder; dfsutil diag viewdfspath PATH when it is a namespace",
        },
  );
}

const BEHIND: ReadonlySet<string> = new Set(["no-handshake", "wrong-name", "differs", "validity"]);

function explained(view: View, lags: readonly Lag[], hosts: readonly HostName[]): readonly CellRef[] {
  const behind = new Set(lags.map(({ host, sight }) => `${host} ${sight.node.name}`));
  const asked = new Set(hosts);
  return view.symptoms.flatMap(({ node, host, kind }) =>
    asked.has(host) && (behind.has(`${host} ${node}`) ? BEHIND.has(kind) : kind === "differs") ? [{ node, host }] : [],
  );
}
