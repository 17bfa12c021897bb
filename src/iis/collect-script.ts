import { CERTIFICATE_PARTS, CLOSING } from "./collect/certificate-parts.ts";
import { IIS_PARTS } from "./collect/iis-parts.ts";
import { OPENING } from "./collect/opening.ts";
import { SERVER_PARTS } from "./collect/server-parts.ts";

/**
 * The PowerShell script (Windows PowerShell 5.1 and PowerShell 7) that an administrator runs on each IIS server. It reads only, and writes
 * one evidence file of the form in evidence-file.ts; every part that fails is told in `problems`. ASCII, so that 5.1 reads it as it is.
 */
export function collectScript(): string {
  return `${OPENING}${IIS_PARTS}${SERVER_PARTS}${CERTIFICATE_PARTS}${CLOSING}`;
}
