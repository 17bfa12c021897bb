import type { HostName } from "../../base/index.ts";
import { indexCentral, type CentralCandidates, type CentralMake } from "./central-files.ts";
import type { CentralEvidence, CentralFile, NodeEvidence, Source } from "../evidence.ts";
import type { ExaminedNode, Examination } from "../examination.ts";
import type { View } from "../view.ts";

/** The central certificates as one node sees them; what the doctor read itself stands in where the node does not tell. */
export interface StoreSight {
  readonly node: ExaminedNode;
  readonly make: CentralMake;
  readonly source: Source;
  /** The node's own listing; false = the doctor's. */
  readonly own: boolean;
  readonly files: readonly CentralFile[];
  candidates(host: HostName): CentralCandidates;
}

const known = new WeakMap<Examination, readonly StoreSight[]>();

/** One for each node that may take certificates from the central store and whose files are known. */
export function storeSights({ examination, nodes }: View): readonly StoreSight[] {
  const sights = known.get(examination) ?? nodes.flatMap((node) => sightOf(examination, node));
  known.set(examination, sights);
  return sights;
}

/** Why there is no sight at all, for rules that could not look. */
export const NO_SIGHT =
  "the files of the central certificates are not known: collect evidence from the nodes, or name their folder with --share";

function sightOf(examination: Examination, node: ExaminedNode): readonly StoreSight[] {
  const make = node.evidence?.make ?? makeOfOthers(examination);
  const central = node.evidence?.central;
  if ((make !== "certfarm" && make !== "iis") || isCutOff(central)) return [];
  const shared = examination.central;
  if (central?.files !== undefined) {
    const files = shared === undefined ? central.files : withReadings(central.files, shared.files);
    return [createSight({ node, make, source: central.source, own: true, files })];
  }
  return shared === undefined ? [] : [createSight({ node, make, source: shared.source, own: false, files: shared.files })];
}

/** A node that does not reach the store at all has another trouble than a file. */
const isCutOff = (central: CentralEvidence | undefined): boolean =>
  central?.installed === false || central?.enabled === false || central?.access?.kind === "failed";

function createSight(parts: Omit<StoreSight, "candidates">): StoreSight {
  return { ...parts, candidates: (host) => indexCentral(parts.files, parts.make).candidates(host) };
}

/** A folder that is read without any evidence is that of an IIS farm: certfarm nodes tell what they are. */
function makeOfOthers({ nodes }: Examination): NodeEvidence["make"] {
  return nodes.find(({ evidence }) => evidence !== undefined)?.evidence?.make ?? "iis";
}

/** What the doctor found in the same file, for nodes that list files without opening them. */
function withReadings(own: readonly CentralFile[], shared: readonly CentralFile[]): readonly CentralFile[] {
  const byName = new Map([
    ...shared.map((file) => [file.name.toLowerCase(), file] as const),
    ...shared.map((file) => [file.name, file] as const),
  ]);
  return own.map((file) => {
    const same = byName.get(file.name) ?? byName.get(file.name.toLowerCase());
    if (file.reading !== undefined || same?.reading === undefined || !sameContent(file, same)) return file;
    return { ...file, reading: same.reading, ...(same.digest === undefined ? {} : { digest: same.digest }) };
  });
}

/** Whether two sights of a file show the same content, as far as can be told. */
export function sameContent(one: CentralFile, other: CentralFile): boolean {
  if (one.digest !== undefined && other.digest !== undefined) return one.digest === other.digest;
  return one.size === other.size;
}
