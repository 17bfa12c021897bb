import type { HostName } from "../../base/index.ts";
import { answeringFiles } from "../files/answering-files.ts";
import { mayServe } from "../files/central-files.ts";
import { exportAgain } from "../files/commands.ts";
import { onNodes } from "../files/missing-files.ts";
import { namesCover } from "../names-cover.ts";
import { NO_SIGHT, storeSights, type StoreSight } from "../files/store-sights.ts";
import type { CentralFile } from "../evidence.ts";
import type { FindingDraft, Symptom } from "../finding.ts";
import { nameSome } from "../name-some.ts";
import type { Rule } from "../rule.ts";
import type { View } from "../view.ts";
import { groupBy } from "../group-by.ts";
import { servedOf } from "../wire/served.ts";

/** The name of a file is a promise that no server checks. */
export const certificateLacksHost: Rule = {
  code: "certificate-lacks-host",
  title: "A file is named after a host that its certificate does not name",
  severity: "error",
  tier: "host",
  source: "https://www.rfc-editor.org/rfc/rfc9525#section-6.3",
  explains:
    "The servers choose the file by its name and present what is in it. The certificate in this file does not name the host: clients refuse it with a name mismatch, on every node. Mostly the wrong certificate was copied, or a renewal left a name out.",
  remedy: "Replace the file by one whose certificate names the host; `certfarm certs check FILE` tells beforehand.",
  check(view) {
    const sights = storeSights(view);
    if (sights.length === 0) return { status: "could-not-look", why: NO_SIGHT };
    const hits = sights.flatMap((sight) => view.examination.hosts.flatMap(({ name }) => hitOf(view, sight, name)));
    if (hits.length === 0) return { status: "passed" };
    const byHost = [...groupBy(hits, ({ file, host }) => `${host} ${file.name}`).values()];
    const groups = groupBy(byHost, (ofHost) => `${ofHost[0]?.file.name ?? ""}/${ofHost.map(({ sight }) => sight.node.name).join(" ")}`);
    return { status: "found", findings: [...groups.values()].flatMap((group) => draft(view, group.flat())) };
  },
};

interface Hit {
  readonly sight: StoreSight;
  readonly host: HostName;
  readonly file: CentralFile;
  readonly names: readonly string[];
  readonly symptom: Symptom | undefined;
}

function hitOf(view: View, sight: StoreSight, host: HostName): readonly Hit[] {
  const { name: node } = sight.node;
  if (!view.meant(node, host) || view.healthy(node, host)) return [];
  const wrong = wrongFile(sight, host);
  const leaf = wrong?.reading?.facts?.leaf;
  if (wrong === undefined || leaf === undefined) return [];
  const symptom = view.symptom(node, host);
  const hit = { sight, host, file: wrong, names: leaf.dnsNames, symptom };
  if (symptom === undefined) return [hit];
  const cell = view.cellOf(symptom);
  return cell !== undefined && servedOf(cell)?.thumbprint === leaf.thumbprint ? [hit] : [];
}

/** The file that answers by its name, when no certificate in such files names the host. */
function wrongFile(sight: StoreSight, host: HostName): CentralFile | undefined {
  const found = answeringFiles(sight, host);
  if (found === undefined || found.via === "covering") return undefined;
  const usable = found.files.filter((file) => mayServe(file) && file.reading?.facts !== undefined && file.inUse === undefined);
  return usable.some(({ reading }) => namesCover(reading?.facts?.leaf.dnsNames ?? [], host)) ? undefined : usable[0];
}

function draft(view: View, hits: readonly Hit[]): readonly FindingDraft[] {
  const [first] = hits;
  if (first === undefined) return [];
  const { file, names, sight } = first;
  const nodes = [...new Set(hits.map((hit) => hit.sight.node.name))];
  const hosts = [...new Set(hits.map(({ host }) => host))];
  const seen = hits.flatMap(({ symptom }) => (symptom === undefined ? [] : [symptom]));
  const [symptom] = seen;
  return [
    {
      summary: `${file.name} serves ${nameSome(hosts)}${onNodes(view, nodes)}, which its certificate does not name`,
      nodes,
      hosts,
      proof: [
        { text: `its certificate names ${names.length === 0 ? "no host" : nameSome(names)}`, source: sight.source },
        ...(symptom === undefined
          ? []
          : [{ text: `${symptom.host} on ${symptom.node}: ${symptom.text}`, source: `probe of ${symptom.node} for ${symptom.host}` }]),
      ],
      remedy: `Replace ${file.name} by a file whose certificate names ${nameSome(hosts)}.`,
      effect: "Clients accept the certificate as soon as the nodes see the new file.",
      actions: [{ do: "manual", text: exportAgain(file.name, sight.make) }],
      explains: seen.map(({ node, host }) => ({ node, host })),
      certainty: "certain",
    },
  ];
}
