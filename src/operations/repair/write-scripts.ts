import type { Finding, RepairAction } from "../../doctor/index.ts";
import { repairScript } from "../../iis/index.ts";
import { diagnoseExamination } from "../look/diagnose-farm.ts";
import { examineServers, type HereParts, type ServerLook } from "../look/examine-servers.ts";
import type { LookControl } from "../look/look-settings.ts";
import { chosenFindings } from "./make-plan.ts";

/** Scripts for servers with IIS, and what no script does. */
export interface ScriptedRepair {
  readonly scripts: readonly { readonly node: string; readonly fileName: string; readonly text: string }[];
  readonly manual: readonly { readonly finding: string; readonly node?: string; readonly text: string }[];
}

/** Looks at servers and writes one script for each that runs IIS and can be mended by one. @throws REPAIR_FINDING_UNKNOWN, and what examineServers throws */
export async function writeScripts(
  parts: HereParts,
  { findings: names, ...look }: ServerLook & LookControl & { readonly findings?: readonly string[] },
): Promise<ScriptedRepair> {
  const { examination, diagnosis } = diagnoseExamination(await examineServers(parts, look), look);
  const findings = chosenFindings(diagnosis.findings, names);
  const iis = new Map(examination.nodes.flatMap(({ name, evidence }) => (evidence?.make === "iis" ? [[name, evidence] as const] : [])));
  const scripts = [...iis].flatMap(([node, evidence]) => {
    const actions = findings.flatMap((finding) => finding.actions.filter((action) => isScripted(action) && action.node === node));
    return actions.length === 0 ? [] : [{ node, fileName: fileNameOf(node), text: repairScript(node, actions, evidence) }];
  });
  return { scripts, manual: findings.flatMap((finding) => byHand(finding, new Set(iis.keys()))) };
}

/** A central row is never deleted, and certfarm's own parts are none of a server with IIS. */
function isScripted(action: RepairAction): boolean {
  if (action.do === "delete-row") return action.key.kind !== "central" && action.key.kind !== "scoped-central";
  return action.do === "add-central-row" || action.do === "set-central-store";
}

function byHand({ id, actions, remedy }: Finding, iis: ReadonlySet<string>): ScriptedRepair["manual"] {
  return actions.flatMap((action) => {
    if (action.do === "manual") return [{ finding: id, ...(action.node === undefined ? {} : { node: action.node }), text: action.text }];
    return isScripted(action) && iis.has(action.node) ? [] : [{ finding: id, node: action.node, text: remedy }];
  });
}

/** Node names are free text of evidence: nothing of them leads out of a folder. */
const fileNameOf = (node: string): string =>
  `repair-${node
    .replaceAll(/[^A-Za-z0-9._-]/g, "_")
    .replace(/^\.+/, "_")
    .slice(0, 100)}.ps1`;
