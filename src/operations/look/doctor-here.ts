import type { Report } from "../../doctor/index.ts";
import { diagnoseExamination } from "./diagnose-farm.ts";
import { examineServers, type HereParts, type ServerLook } from "./examine-servers.ts";
import type { LookControl } from "./look-settings.ts";

/** Looks at any servers from this machine and names the causes. @throws what examineServers throws */
export async function doctorHere(parts: HereParts, look: ServerLook & LookControl): Promise<Report> {
  return diagnoseExamination(await examineServers(parts, look), look).report;
}
