/** Real IIS as data: what its servers say of themselves becomes evidence. Pure: texts in, facts out. */
export { collectScript } from "./collect-script.ts";
export { evidenceFromFiles, type LooseFile } from "./evidence-from-files.ts";
export { explainIis, formatIisExplanation } from "./explain-iis.ts";
export { importIis } from "./import.ts";
export { readApplicationHost } from "./read-application-host.ts";
export { readEvidenceFile, type NodeReading } from "./read-evidence-file.ts";
export { repairScript } from "./repair-script.ts";
