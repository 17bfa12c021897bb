import type { Examination } from "../examination.ts";
import type { ProbeOutcome } from "../observation.ts";
import type { Rule } from "../rule.ts";
import { ip } from "./evidence.ts";
import { ask, served, type CellScript, type Script } from "./examination.ts";

export const HOST = "www.example.com";
export const SHOP = "shop.example.com";
export const WELL: Readonly<Record<string, CellScript>> = { [HOST]: served(HOST), [SHOP]: served(SHOP) };
export const REFUSED: ProbeOutcome = { kind: "refused" };
export const SILENT: ProbeOutcome = { kind: "timeout", during: "connect" };
export const HANGS: ProbeOutcome = { kind: "timeout", during: "handshake" };
export const CLOSED: ProbeOutcome = { kind: "closed" };
export const alert = (name: string): ProbeOutcome => ({ kind: "alert", alert: name });
export const HTTP: ProbeOutcome = { kind: "error", code: "ERR_SSL_WRONG_VERSION_NUMBER", message: "wrong version number", speaks: "http" };
export const SSH: ProbeOutcome = { kind: "error", code: "ERR_SSL_WRONG_VERSION_NUMBER", message: "wrong version number", speaks: "other" };

/** The same for both hosts. */
export const both = (script: CellScript): Readonly<Record<string, CellScript>> => ({ [HOST]: script, [SHOP]: script });
/** web2 is ill, web1 is not. */
export const second = (cells: Readonly<Record<string, CellScript>>): Script => ({ cells: { web1: WELL, web2: cells } });
/** Both nodes are well, and the balancer lb is ill. */
export const through = (cells: Readonly<Record<string, CellScript>>, direct = WELL): Script => ({
  cells: { web1: direct, web2: direct, lb: cells },
  balancers: ["lb"],
});
/** The same server on web1, web2, …, which the deeper set of probes tells apart. */
export const deep = (changes: readonly Exclude<CellScript, ProbeOutcome>[]): Script => {
  const request = { status: 200, headers: { server: "nginx/1.26.3" } };
  return {
    cells: Object.fromEntries(changes.map((change, at) => [`web${at + 1}`, { [HOST]: { sni: served(HOST), request, ...change } }])),
  };
};
/** What the resolver says of hosts. */
export const resolving = (addresses: Readonly<Record<string, readonly string[]>>, cname?: string): Partial<Examination> => ({
  hosts: Object.entries(addresses).map(([name, list]) => ({
    name: name as never, // written here in normal form
    resolved: { addresses: list.map(ip), ...(cname === undefined || name !== HOST ? {} : { cname }) },
  })),
});

/** What one rule alone says, in short: the summaries of its findings, or its status. */
export function told(rule: Rule, script: Script): readonly string[] {
  const { status, findings } = ask(rule, script);
  return status === "found" ? findings.map(({ severity, certainty, summary }) => `${severity}, ${certainty}: ${summary}`) : [status];
}
