import { exportAgain } from "../files/commands.ts";
import { checkUnusableFiles, type FileTrouble } from "../files/unusable-files.ts";
import type { FileStatus } from "../../pki/index.ts";
import type { Rule } from "../rule.ts";

/** A writer that copies in place is done within a minute. */
const WRITING_MS = 60_000;

const DAMAGED: ReadonlySet<FileStatus> = new Set<FileStatus>(["malformed", "too-costly", "no-certificate"]);

/** A file that is torn, cut off, or no certificate file at all. */
export const fileDamaged: Rule = {
  code: "file-damaged",
  title: "A certificate file is damaged",
  severity: "error",
  tier: "host",
  source: "https://www.rfc-editor.org/rfc/rfc7292",
  explains:
    "The file is cut off, damaged or not what its name says. A file that is copied over its predecessor is torn while the copy runs: readers that look just then fail, and those that look later do not. " +
    "A copy that was broken off stays torn. Within a minute of the last change this is a notice only.",
  remedy: "Copy the file again under a temporary name in the same folder and rename it into place: then no reader ever sees half of it.",
  check: (view) => checkUnusableFiles(view, TROUBLE),
};

const TROUBLE: FileTrouble = {
  problemOf: ({ reading, size }) =>
    reading !== undefined && DAMAGED.has(reading.status) ? `${reading.problem ?? "it is damaged"} (${size} octets)` : undefined,
  phrase: ["is damaged", "are damaged"],
  remedy: "Copy the file again under a temporary name, then rename it into place.",
  effect: "The hosts of this file are served from it as soon as the nodes see the new file.",
  manual: (file, { make }) => exportAgain(file, make),
  passing: ({ modifiedAt }, { examination }) =>
    modifiedAt !== undefined && examination.at - modifiedAt >= 0 && examination.at - modifiedAt < WRITING_MS,
};
