import type { HostName } from "../../base/index.ts";
import type { CentralFile } from "../evidence.ts";
import type { CellRef, FindingDraft, Proof, RepairAction, Severity, Symptom } from "../finding.ts";
import { nameSome } from "../name-some.ts";
import type { RuleResult } from "../rule.ts";
import type { View } from "../view.ts";
import { groupBy } from "../group-by.ts";
import { firstInLine } from "./answering-files.ts";
import { mayServe } from "./central-files.ts";
import { leafText } from "./certificate-text.ts";
import { NO_SIGHT, sameContent, storeSights, type StoreSight } from "./store-sights.ts";

/** One way in which a file cannot be used. */
export interface FileTrouble {
  /** What is wrong with this file on this node, in a sentence; undefined = not this. */
  problemOf(file: CentralFile, sight: StoreSight): string | undefined;
  /** `is damaged`, `are damaged`: what follows the name of one file, and of several. */
  readonly phrase: readonly [one: string, many: string];
  readonly remedy: string;
  readonly effect: string;
  /** What a person does, with commands. */
  manual(file: string, sight: StoreSight): string;
  /** The node is told to read its certificates again once that is done. */
  readonly resync?: boolean;
  /** The trouble is seen by the doctor only and may be the doctor's own: then it takes a host that fails. */
  readonly doubtful?: (sight: StoreSight) => { readonly others: readonly string[]; readonly decides: string } | undefined;
  /** What the doctor found says nothing about this node. */
  isBlind?(view: View, sight: StoreSight): boolean;
  /** A cell that shows the file's own certificate proves that the node can use it. */
  readonly disproved?: boolean;
  /** The trouble may pass by itself. */
  passing?(file: CentralFile, view: View): boolean;
}

interface Hit {
  readonly sight: StoreSight;
  readonly host: HostName;
  readonly file: CentralFile;
  readonly problem: string;
  readonly symptom: Symptom | undefined;
  readonly severity: Severity;
}

/** A finding for each set of nodes that cannot use the same files, out of the files that come first for the hosts that were asked for. */
export function checkUnusableFiles(view: View, trouble: FileTrouble): RuleResult {
  const sights = storeSights(view);
  if (sights.length === 0) return { status: "could-not-look", why: NO_SIGHT };
  const hits = sights.flatMap((sight) => hitsOf(view, sight, trouble));
  if (hits.length === 0) return { status: "passed" };
  const byFile = [...groupBy(hits, ({ file }) => file.name).values()];
  const byNodes = groupBy(byFile, (ofFile) => `${worst(ofFile)} ${[...new Set(ofFile.map(({ sight }) => sight.node.name))].join(" ")}`);
  return { status: "found", findings: [...byNodes.values()].map((group) => draft(view, trouble, group.flat())) };
}

function hitsOf(view: View, sight: StoreSight, trouble: FileTrouble): readonly Hit[] {
  if (trouble.isBlind?.(view, sight) === true) return [];
  return view.examination.hosts.flatMap(({ name: host }) => {
    if (!view.meant(sight.node.name, host)) return [];
    const files = firstInLine(sight, host)?.files ?? [];
    return files.flatMap((file) => {
      const problem = trouble.problemOf(file, sight);
      return problem === undefined ? [] : hit(view, trouble, { sight, host, file, problem });
    });
  });
}

const ELSEWHERE = new Set<Symptom["kind"]>(["no-connection", "request-failed"]);

function hit(view: View, trouble: FileTrouble, found: Pick<Hit, "sight" | "host" | "file" | "problem">): readonly Hit[] {
  const { sight, host } = found;
  const seen = view.symptom(sight.node.name, host);
  const symptom = seen === undefined || ELSEWHERE.has(seen.kind) ? undefined : seen;
  if (symptom === undefined && isDoubtful(view, trouble, found)) return [];
  return [{ ...found, symptom, severity: severityOf(view, trouble, { ...found, symptom }) }];
}

/** Without a host that fails, some troubles are not worth a word. */
const isDoubtful = (view: View, trouble: FileTrouble, found: Pick<Hit, "sight" | "host" | "file">): boolean =>
  trouble.doubtful?.(found.sight) !== undefined || (trouble.disproved === true && shows(view, found));

function severityOf(view: View, trouble: FileTrouble, { sight, host, file, symptom }: Omit<Hit, "severity" | "problem">): Severity {
  if (trouble.passing?.(file, view) === true) return "notice";
  const spared = symptom === undefined && (view.healthy(sight.node.name, host) || file.inUse !== undefined);
  return spared ? "warning" : "error";
}

function shows(view: View, { sight, host, file }: Pick<Hit, "sight" | "host" | "file">): boolean {
  return view.cellsFor(host).some(({ node, probes }) => {
    const outcome = probes.sni?.outcome;
    return node === sight.node.name && outcome?.kind === "served" && outcome.thumbprint === file.reading?.facts?.leaf.thumbprint;
  });
}

const ORDER: readonly Severity[] = ["error", "warning", "notice"];
const worst = (hits: readonly Hit[]): Severity => ORDER.find((severity) => hits.some((each) => each.severity === severity)) ?? "error";

function draft(view: View, trouble: FileTrouble, hits: readonly Hit[]): FindingDraft {
  const [first] = hits;
  const sights = [...new Set(hits.map(({ sight }) => sight))];
  const files = [...new Set(hits.map(({ file }) => file.name))];
  const doubt = first === undefined ? undefined : trouble.doubtful?.(first.sight);
  const where =
    sights.length === storeSights(view).length && sights.length > 1 ? "" : ` on ${nameSome(sights.map(({ node }) => node.name))}`;
  return {
    summary: `${nameSome(files)} ${trouble.phrase[files.length === 1 ? 0 : 1]}${where}`,
    nodes: sights.map(({ node }) => node.name),
    hosts: [...new Set(hits.map(({ host }) => host))],
    proof: proofOf(view, hits),
    remedy: trouble.remedy,
    effect: trouble.effect,
    actions: first === undefined ? [] : actionsOf(trouble, hits, first),
    explains: hits.flatMap(({ symptom }) => (symptom === undefined ? [] : [refOf(symptom)])),
    certainty: doubt === undefined ? "certain" : "likely",
    ...doubt,
    severity: worst(hits),
  };
}

const refOf = ({ node, host }: Symptom): CellRef => ({ node, host });

function proofOf(view: View, hits: readonly Hit[]): FindingDraft["proof"] {
  const first = hits.find(({ symptom }) => symptom !== undefined) ?? hits[0];
  if (first === undefined) return [{ text: "nothing", source: "" }];
  const { file, sight, problem } = first;
  return [
    { text: `${file.name}: ${problem}`, source: sight.source },
    ...wireProof(view, first),
    ...peerProof(view, first, new Set(hits.map(({ sight }) => sight))),
  ];
}

function wireProof(view: View, { sight, host, file, symptom }: Hit): readonly Proof[] {
  const source = `probe of ${sight.node.name} for ${host}`;
  if (symptom !== undefined) return [{ text: `${host} on ${sight.node.name}: ${symptom.text}`, source }];
  if (file.inUse !== undefined)
    return [{ text: `${sight.node.name} keeps the former certificate ${file.inUse.thumbprint.slice(0, 8)} in use`, source: sight.source }];
  if (!view.healthy(sight.node.name, host)) return [];
  return [{ text: `${sight.node.name} still serves ${host}, from memory or from another file`, source }];
}

/** A node that can use the file of the same name says whether node or file is at fault. */
function peerProof(view: View, { file }: Hit, affected: ReadonlySet<StoreSight>): readonly Proof[] {
  for (const peer of storeSights(view)) {
    if (affected.has(peer) || !peer.own) continue;
    const same = peer.files.find(({ name }) => name === file.name);
    if (same === undefined || same.access !== "readable" || !mayServe(same)) continue;
    const content = sameContent(file, same) ? "the same file" : `another content there (${same.size} octets, here ${file.size})`;
    const leaf = same.reading?.facts?.leaf;
    return [{ text: `${peer.node.name} reads it: ${leaf === undefined ? content : `${content}, ${leafText(leaf)}`}`, source: peer.source }];
  }
  return [];
}

const SHOWN_FILES = 5;

function actionsOf(trouble: FileTrouble, hits: readonly Hit[], { sight }: Hit): readonly RepairAction[] {
  const files = [...new Set(hits.map(({ file }) => file.name))];
  const manual = files.slice(0, SHOWN_FILES).map((file): RepairAction => ({ do: "manual", text: trouble.manual(file, sight) }));
  const rest = files.length - SHOWN_FILES;
  const nodes = [...new Set(hits.filter((each) => each.sight.make === "certfarm").map((each) => each.sight.node.name))];
  return [
    ...manual,
    ...(rest > 0 ? [{ do: "manual", text: `The same for ${rest} more: ${nameSome(files.slice(SHOWN_FILES), 20)}` } as const] : []),
    ...(trouble.resync === true ? nodes.map((node): RepairAction => ({ do: "resync", node, part: "certificates" })) : []),
  ];
}
