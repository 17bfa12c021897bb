import { parseHostName, type HostName } from "../../base/index.ts";
import { answeringFiles } from "../files/answering-files.ts";
import { leafText } from "../files/certificate-text.ts";
import { quoted } from "../files/commands.ts";
import { NO_SIGHT, storeSights, type StoreSight } from "../files/store-sights.ts";
import type { CentralFile } from "../evidence.ts";
import type { FindingDraft, Severity } from "../finding.ts";
import { nameSome } from "../name-some.ts";
import type { Rule } from "../rule.ts";
import type { View } from "../view.ts";
import { groupBy } from "../group-by.ts";
import { plural } from "../wire/groups.ts";

/** Whoever writes the copies one by one is done within ten minutes. */
const WRITING_MS = 10 * 60_000;

/** A renewal that reached some of the files of its names. */
export const partialPublish: Rule = {
  code: "partial-publish",
  title: "A renewed certificate is in some of its files only",
  severity: "warning",
  tier: "host",
  source: "https://github.com/win-acme/win-acme/blob/master/src/main.lib/Plugins/StorePlugins/CentralSsl/CentralSsl.cs",
  explains:
    "A certificate for several names lies in one file for each of them. After the last renewal some of these files hold the new certificate and others the former one, on all nodes: whoever wrote them stopped midway, or could not write one that was held open. " +
    "The names with the former certificate go on until it ends, and then fail.",
  remedy: "Copy the newest file under all names of its certificate, and look into the log of what renews it.",
  check(view) {
    const [sight] = storeSights(view);
    if (sight === undefined) return { status: "could-not-look", why: NO_SIGHT };
    const findings = groupsOf(sight).flatMap((files) => draft(view, sight, files));
    return findings.length === 0 ? { status: "passed" } : { status: "found", findings };
  },
};

/** Files whose certificates are for the same names, several of them, with the same type of key. */
function groupsOf({ files }: StoreSight): readonly (readonly CentralFile[])[] {
  const usable = files.filter(({ reading }) => (reading?.facts?.leaf.dnsNames.length ?? 0) > 1);
  const groups = groupBy(
    usable,
    ({ reading }) => `${reading?.facts?.leaf.keyType ?? ""} ${(reading?.facts?.leaf.dnsNames ?? []).toSorted().join(" ")}`,
  );
  return [...groups.values()].filter((group) => new Set(group.map((file) => file.reading?.facts?.leaf.thumbprint)).size > 1);
}

function draft(view: View, sight: StoreSight, group: readonly CentralFile[]): readonly FindingDraft[] {
  const newest = group.toSorted((a, b) => beginOf(b) - beginOf(a))[0];
  const leaf = newest?.reading?.facts?.leaf;
  if (newest === undefined || leaf === undefined) return [];
  const former = group.filter((file) => file.reading?.facts?.leaf.thumbprint !== leaf.thumbprint);
  const hosts = hostsOf(view, sight, former);
  const [old] = former;
  if (hosts.length === 0 || old === undefined) return [];
  const severity = severityOf(view, newest, former);
  const names = new Set<string>(hosts);
  return [
    {
      summary: `${nameSome(hosts)} ${plural(hosts, "has", "have")} the former certificate: the renewal reached ${group.length - former.length} of ${group.length} files`,
      nodes: storeSights(view).map(({ node }) => node.name),
      hosts,
      proof: [
        { text: `${newest.name} holds ${leafText(leaf)}`, source: sight.source },
        {
          text: `${nameSome(former.map(({ name }) => name))} ${plural(former, "holds", "hold")} ${old.reading?.facts === undefined ? "another" : leafText(old.reading.facts.leaf)}`,
          source: sight.source,
        },
      ],
      remedy:
        severity === "notice"
          ? "Wait until all files are written; look again in some minutes."
          : `Copy ${newest.name} over ${nameSome(former.map(({ name }) => name))}.`,
      effect: "All names of the certificate are served with the new one.",
      actions:
        severity === "notice"
          ? []
          : former.slice(0, 5).map(({ name }) => ({
              do: "manual",
              text: `${sight.make === "iis" ? "Copy-Item" : "cp"} ${quoted(newest.name)} ${quoted(name)}`,
            })),
      explains: view.symptoms.flatMap(({ node, host, kind }) => (kind === "validity" && names.has(host) ? [{ node, host }] : [])),
      certainty: "certain",
      severity,
    },
  ];
}

const beginOf = ({ reading }: CentralFile): number => reading?.facts?.leaf.notBefore ?? 0;

/** Hosts that were asked for and are answered from one of these files. */
function hostsOf(view: View, sight: StoreSight, former: readonly CentralFile[]): readonly HostName[] {
  const old = new Set(former);
  const named = former.flatMap(({ reading }) =>
    (reading?.facts?.leaf.dnsNames ?? []).flatMap((name) => parseHostName(name.replace(/^\*\./, "")) ?? []),
  );
  const asked = new Set(named);
  return view.examination.hosts.flatMap(({ name }) => {
    const near = asked.has(name) || [...asked].some((parent) => name.endsWith(`.${parent}`));
    return near && answeringFiles(sight, name)?.files.every((file) => old.has(file)) === true ? [name] : [];
  });
}

function severityOf(view: View, { modifiedAt }: CentralFile, former: readonly CentralFile[]): Severity {
  const { at } = view.examination;
  if (former.some(({ reading }) => (reading?.facts?.leaf.notAfter ?? at) < at)) return "error";
  return modifiedAt !== undefined && at - modifiedAt < WRITING_MS ? "notice" : "warning";
}
