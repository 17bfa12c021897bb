import { basename, extname } from "node:path";

import { toFarmError } from "../../base/index.ts";
import type { Gap } from "../../doctor/index.ts";
import { evidenceFromFiles, readEvidenceFile, type LooseFile, type NodeReading } from "../../iis/index.ts";
import { readInputPath } from "./read-input.ts";

/** Evidence of servers with IIS, and what could not be read. */
export interface EvidenceReading {
  readonly nodes: readonly NodeReading[];
  readonly gaps: readonly Gap[];
}

/**
 * Reads evidence: a file of `certfarm iis collect`; a folder of such files; a folder with a folder of loose files for each server; the
 * loose files of one server. Of two pieces of evidence of one server the later counts.
 * @throws DOCTOR_FILE_UNREADABLE; IIS_EVIDENCE_INVALID, IIS_INPUT_TOO_LARGE for a file that was named itself
 */
export async function readEvidence(paths: readonly string[]): Promise<EvidenceReading> {
  const gaps: Gap[] = [];
  const nodes = new Map<string, NodeReading>();
  const take = (reading: NodeReading): void => {
    const key = reading.name.toLowerCase();
    const before = nodes.get(key);
    if (before !== undefined) gaps.push({ node: reading.name, what: "files", why: `${reading.name} has evidence twice: the later counts` });
    if (before === undefined || (before.evidence.at ?? 0) <= (reading.evidence.at ?? 0)) nodes.set(key, reading);
  };
  for (const path of paths) {
    const input = await readInputPath(path);
    if (input.kind === "file") {
      take(readOne(input.file));
      continue;
    }
    for (const { name, files } of input.folders) if (files.length > 0) take(evidenceFromFiles(name, files));
    const evidence = input.files.filter(isEvidenceFile);
    const loose = input.files.filter((file) => !evidence.includes(file));
    for (const file of evidence) {
      try {
        take(readEvidenceFile(file.bytes, file.path));
      } catch (error) {
        gaps.push({ what: "files", why: toFarmError(error).message });
      }
    }
    if (loose.length > 0 && evidence.length === 0 && input.folders.length === 0) take(evidenceFromFiles(input.name, loose));
    else
      for (const { path: left } of loose) gaps.push({ what: "files", why: `${left} was left out: it is not known which server it is of` });
  }
  return { nodes: [...nodes.values()], gaps };
}

const isEvidenceFile = ({ path }: LooseFile): boolean => extname(path).toLowerCase() === ".json";

function readOne(file: LooseFile): NodeReading {
  return isEvidenceFile(file)
    ? readEvidenceFile(file.bytes, file.path)
    : evidenceFromFiles(basename(file.path, extname(file.path)), [file]);
}
