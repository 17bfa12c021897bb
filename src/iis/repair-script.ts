import { FarmError, formatEndpoint } from "../base/index.ts";
import type { EvidenceBinding, EvidenceRow, EvidenceRowKey, NodeEvidence, RepairAction } from "../doctor/index.ts";
import { CLOSING } from "./repair/closing.ts";
import { HANDSHAKES } from "./repair/handshakes.ts";
import { OPENING } from "./repair/opening.ts";
import { quote } from "./repair/quote.ts";
import { ROWS } from "./repair/rows.ts";
import { STEPS } from "./repair/steps.ts";

type Entry = Readonly<Record<string, string | number>>;

/** The order in which steps do the least harm: a central row is there before rows that answered instead of it go. */
const ORDER: readonly RepairAction["do"][] = ["set-central-store", "add-central-row", "delete-row", "resync", "manual"];

/** Hosts that are dialled for each port: enough to see a change, few enough for a farm of thousands. */
const MAX_HOSTS_A_PORT = 5;

/**
 * The PowerShell script (Windows PowerShell 5.1 and PowerShell 7) that mends one IIS server: it saves the table, does the steps of `actions`
 * that name this node or none, checks after each by the row and by handshakes, and undoes with -Undo. A fixed program over data in quotes:
 * no value of the evidence can be executed. ASCII. `resync` steps are certfarm's own and left out.
 * @throws IIS_REPAIR_REFUSED for a step that would delete a central row
 */
export function repairScript(node: string, actions: readonly RepairAction[], evidence?: NodeEvidence): string {
  const own = actions.filter((action) => action.node === undefined || action.node === node);
  const steps = own.toSorted((a, b) => ORDER.indexOf(a.do) - ORDER.indexOf(b.do)).flatMap((action) => stepEntry(action, evidence));
  const unique = [...new Map(steps.map((step) => [JSON.stringify(step), step])).values()];
  return [
    OPENING,
    `$server = ${quote(node)}\n`,
    list("steps", unique),
    list("checks", checkEntries(own, evidence)),
    ROWS,
    HANDSHAKES,
    STEPS,
    CLOSING,
  ].join("");
}

const list = (name: string, entries: readonly Entry[]): string =>
  `\n$${name} = @(\n${entries.map((entry) => `    ${hashtable(entry)}\n`).join("")})\n`;

const hashtable = (entry: Entry): string =>
  `@{ ${Object.entries(entry)
    .map(([key, value]) => `${key} = ${typeof value === "number" ? value : quote(value)}`)
    .join("; ")} }`;

function stepEntry(action: RepairAction, evidence: NodeEvidence | undefined): readonly Entry[] {
  switch (action.do) {
    case "set-central-store": {
      const { location, user = "" } = action;
      return [{ kind: action.do, title: `set the central certificate store to ${location}`, location, user }];
    }
    case "add-central-row":
      return [addCentralRow(action.port, evidence)];
    case "delete-row":
      return [deleteRow(action.key, action.row)];
    case "manual":
      return [{ kind: action.do, title: "by hand", text: action.text }];
    case "resync":
      return [];
  }
}

/** With the binding that the last resort would write twice. */
function addCentralRow(port: number, evidence: NodeEvidence | undefined): Entry {
  const binding = httpsBindings(evidence).find((each) => each.central && each.port === port && each.host !== undefined);
  const address = binding === undefined || binding.address === "*" ? "0.0.0.0" : bracketed(binding.address);
  return {
    kind: "add-central-row",
    title: `make the central row for port ${port}`,
    port,
    site: binding?.site ?? "",
    binding: binding === undefined ? "" : `${binding.address === "*" ? "*" : address}:${port}:${binding.host ?? ""}`,
    address,
  };
}

const bracketed = (address: string): string => (address.includes(":") ? `[${address}]` : address);

function deleteRow(key: EvidenceRowKey, row: EvidenceRow): Entry {
  const { tag, text } = netshKey(key);
  return {
    kind: "delete-row",
    title: `delete the row ${tag}=${text}`,
    tag,
    key: text,
    hash: row.thumbprint ?? "",
    appId: row.appId ?? "",
    store: row.storeName ?? "",
  };
}

function netshKey(key: EvidenceRowKey): { readonly tag: "ipport" | "hostnameport"; readonly text: string } {
  switch (key.kind) {
    case "ip":
      return { tag: "ipport", text: formatEndpoint(key) };
    case "any":
      return { tag: "ipport", text: `${key.family === 6 ? "[::]" : "0.0.0.0"}:${key.port}` };
    case "host":
      return { tag: "hostnameport", text: `${key.host}:${key.port}` };
    case "central":
    case "scoped-central":
      throw new FarmError("IIS_REPAIR_REFUSED", `the central row for port ${key.port} is not deleted`, {
        facts: { port: key.port, kind: key.kind },
      });
  }
}

const httpsBindings = (evidence: NodeEvidence | undefined): readonly EvidenceBinding[] =>
  evidence?.bindings?.bindings.filter(({ protocol }) => protocol === "https") ?? [];

/** Handshakes that are compared before and after each step. */
function checkEntries(actions: readonly RepairAction[], evidence: NodeEvidence | undefined): readonly Entry[] {
  const bindings = httpsBindings(evidence).filter(({ host }) => host !== undefined);
  const entries: Entry[] = [];
  for (const [port, address] of dialled(actions, bindings, evidence)) {
    const hosts = bindings.filter((binding) => binding.port === port).flatMap(({ host }) => (host === undefined ? [] : [host]));
    for (const host of [...new Set(hosts)].slice(0, MAX_HOSTS_A_PORT))
      entries.push({ host: host.replace(/^\*/, "certfarm-check"), address, port });
  }
  return entries;
}

/** The ports that steps concern, each with the address of the server that shows the difference: that of a deleted row comes first. */
function dialled(
  actions: readonly RepairAction[],
  bindings: readonly EvidenceBinding[],
  evidence: NodeEvidence | undefined,
): ReadonlyMap<number, string> {
  const usual = evidence?.addresses?.find((address) => !address.includes(":") && !address.startsWith("127.")) ?? "127.0.0.1";
  const central = bindings.filter((binding) => binding.central).map(({ port }) => port);
  const pairs = actions.flatMap((action): (readonly [number, string])[] => {
    if (action.do === "add-central-row") return [[action.port, usual]];
    if (action.do === "set-central-store") return central.map((port) => [port, usual]);
    return action.do === "delete-row" ? [[action.key.port, action.key.kind === "ip" ? action.key.address : usual]] : [];
  });
  // The last pair of a port counts.
  return new Map(pairs.toSorted((a, b) => Number(a[1] !== usual) - Number(b[1] !== usual)));
}
