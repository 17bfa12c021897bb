import { wildcardOf, type HostName } from "../base/index.ts";
import type { Row } from "../bindings/index.ts";
import { bestPerKeyType, validAt, type UsableFile } from "./rank.ts";
import { covers, type Attempt, type Selection } from "./selection.ts";
import { leafText } from "./trail.ts";
import type { CandidateVia, FileKnowledge } from "./types.ts";

const CLASSES: readonly CandidateVia[] = ["exact", "wildcard", "covering"];

/** A long list in a trail helps nobody; the rest is counted. */
const MAX_STEPS_A_CLASS = 8;

/**
 * The files a central row leads to. A class is looked at only when the ones before it gave nothing, so that files of later
 * classes are not read in vain; a valid certificate of a later class therefore never replaces an expired one of an earlier.
 */
export function chooseCentral(selection: Selection, row: Row, host: HostName): Attempt {
  const candidates = selection.input.central.candidates(host);
  for (const via of CLASSES) {
    const found: FileKnowledge[] = [];
    for (const candidate of candidates) if (candidate.via === via) found.push(candidate.knowledge);
    if (found.length === 0) {
      selection.trail.push({ look: `${via} file`, outcome: "absent", because: absence(via, host) });
      continue;
    }
    const attempt = chooseOfClass(selection, { via, host, row }, found);
    if (attempt !== undefined) return attempt;
  }
  return undefined;
}

interface ClassQuestion {
  readonly via: CandidateVia;
  readonly host: HostName;
  readonly row: Row;
}

function chooseOfClass(selection: Selection, question: ClassQuestion, found: readonly FileKnowledge[]): Attempt {
  const { trail, input } = selection;
  const look = `${question.via} file`;
  const unread = found.filter((knowledge) => knowledge.state === "unread").map((knowledge) => knowledge.file);
  if (unread.length > 0) {
    const files = [...new Set(unread)].sort();
    trail.push({ look, outcome: "matched", because: `${files.join(" and ")} ${files.length === 1 ? "was" : "were"} not read yet` });
    return { kind: "need", files, trail };
  }
  const usable = usableOf(selection, question, found);
  const best = bestPerKeyType(usable, input.now);
  if (best.length === 0) return undefined;
  for (const { file, leaf } of best) {
    const mismatch = covers(leaf, question.host) ? "" : `; it does not name ${question.host}, the file's name promises it`;
    const faulty = validAt(leaf, input.now) ? "" : "; nothing better is in this class";
    trail.push({ look, outcome: "chosen", because: `${file}: ${leafText(leaf, input.now)}${mismatch}${faulty}` });
  }
  if (usable.length > best.length)
    tellPassedOver(
      selection,
      look,
      usable.filter((file) => !best.includes(file)),
    );
  const certificates = best.map(({ file, leaf }) => ({ file, thumbprint: leaf.thumbprint, keyType: leaf.keyType }));
  return { kind: "serve", row: question.row.key, certificates, trail };
}

/** The files that can be served, in the order of their names; the others get a step each. */
function usableOf(selection: Selection, question: ClassQuestion, found: readonly FileKnowledge[]): readonly UsableFile[] {
  const usable: UsableFile[] = [];
  const look = `${question.via} file`;
  const ordered = found.length > 1 ? [...found].sort((a, b) => (a.file < b.file ? -1 : 1)) : found;
  for (const knowledge of ordered) {
    if (knowledge.state === "unusable") {
      selection.sawUnusable = true;
      selection.trail.push({ look, outcome: "unusable", because: `${knowledge.file}: ${knowledge.status}, ${knowledge.problem}` });
    } else if (knowledge.state === "usable" && question.via === "covering" && !covers(knowledge.leaf, question.host)) {
      selection.trail.push({ look, outcome: "passed-over", because: `${knowledge.file} does not name ${question.host} any longer` });
    } else if (knowledge.state === "usable") usable.push(knowledge);
  }
  return usable;
}

function tellPassedOver(selection: Selection, look: string, others: readonly UsableFile[]): void {
  for (const { file, leaf } of others.slice(0, MAX_STEPS_A_CLASS)) {
    selection.trail.push({ look, outcome: "passed-over", because: `${file}: ${leafText(leaf, selection.input.now)}` });
  }
  const more = others.length - MAX_STEPS_A_CLASS;
  if (more > 0) selection.trail.push({ look, outcome: "passed-over", because: `and ${more} more` });
}

function absence(via: CandidateVia, host: HostName): string {
  switch (via) {
    case "exact":
      return `no file is named ${host}`;
    case "wildcard":
      return host.includes(".")
        ? `no file is named _${(wildcardOf(host) ?? "").slice(1)}`
        : `${host} has one label, so no wildcard stands for it`;
    case "covering":
      return `no other certificate names ${host}`;
  }
}
