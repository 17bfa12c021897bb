/** Real IIS as data: what its servers say of themselves becomes evidence. Pure: texts in, facts out. */
export type { ApplicationHost, IisApplication, IisBinding, IisDirectory, IisLocation, IisSection, IisSite } from "./application-host.ts";
export { collectScript } from "./collect-script.ts";
export { evidenceFromFiles, type LooseFile } from "./evidence-from-files.ts";
export { explainIis, formatIisExplanation } from "./explain-iis.ts";
export type { IisExplanation, IisOutcome, IisQuestion } from "./explanation.ts";
export { importIis } from "./import.ts";
export { bindingsEvidence, readApplicationHost } from "./read-application-host.ts";
export { readEvidenceFile, type NodeReading } from "./read-evidence-file.ts";
export { readNetsh } from "./read-netsh.ts";
export { readRedirection, type Redirection } from "./read-redirection.ts";
export { repairScript } from "./repair-script.ts";
