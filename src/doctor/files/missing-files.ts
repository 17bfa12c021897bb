import { toUnicodeHost, type HostName } from "../../base/index.ts";
import type { CentralFile } from "../evidence.ts";
import type { FindingDraft, Proof, Symptom } from "../finding.ts";
import { nameSome } from "../name-some.ts";
import type { RuleResult } from "../rule.ts";
import type { View } from "../view.ts";
import { groupBy } from "../group-by.ts";
import { absenceOf, type Absence } from "./absent-files.ts";
import { firstInLine } from "./answering-files.ts";
import { certificateOrigin } from "./certificate-origin.ts";
import { NO_SIGHT, storeSights, type StoreSight } from "./store-sights.ts";

/** A host for which a node finds no file. */
export interface Missing {
  readonly sight: StoreSight;
  readonly host: HostName;
  /** The file that was probably meant; none for `absent`. */
  readonly file: CentralFile | undefined;
  readonly symptom: Symptom | undefined;
}

/** The same trouble of the same file on the same nodes. */
export interface MissingGroup {
  readonly hosts: readonly HostName[];
  readonly nodes: readonly string[];
  readonly all: readonly [Missing, ...Missing[]];
  readonly first: Missing;
}

/** The words of one kind of absence. */
export type MissingText = Pick<FindingDraft, "summary" | "remedy" | "effect" | "actions"> & { readonly proof: readonly Proof[] };

/** A finding for each file and set of nodes, or for each set of nodes when no file was meant. */
export function checkMissingFiles(view: View, kind: Absence["kind"], tell: (group: MissingGroup) => MissingText): RuleResult {
  const sights = storeSights(view);
  if (sights.length === 0) return { status: "could-not-look", why: NO_SIGHT };
  const found = sights.flatMap((sight) => missingOn(view, sight, kind));
  if (found.length === 0) return { status: "passed" };
  const byHost = [...groupBy(found, ({ host, file }) => `${host} ${file?.name ?? ""}`).values()];
  const groups = groupBy(byHost, (ofHost) => `${ofHost[0]?.file?.name ?? ""}/${ofHost.map(({ sight }) => sight.node.name).join(" ")}`);
  return { status: "found", findings: [...groups.values()].flatMap((group) => draft(group.flat(), tell)) };
}

function missingOn(view: View, sight: StoreSight, kind: Absence["kind"]): readonly Missing[] {
  const { name: node } = sight.node;
  // A certfarm node also serves from any certificate that names the host: unread files leave that open.
  const isOpen = sight.make === "certfarm" && sight.files.some(({ reading }) => reading === undefined);
  return view.examination.hosts.flatMap(({ name: host }) => {
    if (!view.meant(node, host) || view.healthy(node, host)) return [];
    const absence = absenceOf(sight, host);
    if (absence?.kind !== kind || (kind === "absent" && elsewhere(view, sight, host))) return [];
    const symptom = view.symptom(node, host);
    const fits = symptom === undefined ? !isOpen && certificateOrigin(sight.node, host).kind === "central" : FITTING.has(symptom.kind);
    // Without bindings or a table nobody says that the central certificates are asked at all: then it takes a host that fails.
    if (!fits) return [];
    return [{ sight, host, file: "file" in absence ? absence.file : undefined, symptom }];
  });
}

/** What clients see when there is no file: nothing, or the certificate of a row for any name. */
const FITTING: ReadonlySet<Symptom["kind"]> = new Set(["no-handshake", "wrong-name"]);

/** Another node lists a file for the host: then this node's copy of the store is behind, and the host has its certificate. */
function elsewhere(view: View, sight: StoreSight, host: HostName): boolean {
  return sight.own && storeSights(view).some((peer) => peer !== sight && peer.own && firstInLine(peer, host) !== undefined);
}

function draft(found: readonly Missing[], tell: (group: MissingGroup) => MissingText): readonly FindingDraft[] {
  const [first, ...rest] = found;
  if (first === undefined) return [];
  const nodes = [...new Set(found.map(({ sight }) => sight.node.name))];
  const hosts = [...new Set(found.map(({ host }) => host))];
  const { proof, ...text } = tell({ hosts, nodes, all: [first, ...rest], first });
  const seen = found.find(({ symptom }) => symptom !== undefined)?.symptom;
  const told = found.every(({ sight, host }) => certificateOrigin(sight.node, host).kind === "central");
  return [
    {
      ...text,
      nodes,
      hosts,
      proof: [
        { text: triedText(first), source: first.sight.source },
        ...proof,
        ...(seen === undefined
          ? []
          : [{ text: `${seen.host} on ${seen.node}: ${seen.text}`, source: `probe of ${seen.node} for ${seen.host}` }]),
      ],
      explains: found.flatMap(({ symptom }) => (symptom === undefined ? [] : [{ node: symptom.node, host: symptom.host }])),
      ...(told
        ? { certainty: "certain" }
        : {
            certainty: "likely",
            others: ["the host is not meant to be served from the central certificates on this node"],
            decides: "the node's bindings and its binding table",
          }),
    },
  ];
}

function triedText({ sight, host }: Missing): string {
  const { tried } = sight.candidates(host);
  const beyond = sight.make === "certfarm" ? ", and no other certificate that was read names it" : "";
  return `${sight.files.length} ${sight.files.length === 1 ? "file" : "files"}, none of them ${tried.join(" or ")}${beyond}`;
}

/** `www.example.com.pfx`: the name that the file of a host must have, everywhere. */
export const fileNameFor = (host: HostName): string => `${toUnicodeHost(host)}.pfx`;

/** ` on web2`, or nothing when every node that is known is concerned. */
export function onNodes(view: View, nodes: readonly string[]): string {
  return nodes.length > 1 && nodes.length === storeSights(view).length ? "" : ` on ${nameSome(nodes)}`;
}
