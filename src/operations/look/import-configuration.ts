import { importIis, readApplicationHost } from "../../iis/index.ts";
import { readEvidence } from "./read-evidence.ts";
import { readInputFile } from "./read-input.ts";

/** A farm.yaml, and what in the configuration has no counterpart. */
export interface ImportedConfiguration {
  readonly yaml: string;
  readonly notes: readonly { readonly line: number; readonly text: string }[];
}

/** Makes a farm.yaml out of an applicationHost.config. @throws DOCTOR_FILE_UNREADABLE, and what readApplicationHost and importIis throw */
export async function importConfiguration(file: string, evidence: readonly string[] = []): Promise<ImportedConfiguration> {
  const { bytes } = await readInputFile(file);
  const { nodes } = await readEvidence(evidence);
  return importIis(readApplicationHost(bytes, file), nodes);
}
