import type { NodeEvidence } from "../../evidence.ts";
import {
  anyRow,
  APPS,
  binding,
  bindings,
  centralFile,
  centralRow,
  centralStore,
  certfarmNode,
  hostRow,
  iisNode,
  installed,
  table,
} from "../evidence.ts";
import { RESET, served, wrong, type CellScript, type Script } from "../examination.ts";

export const HOST = "www.example.com";
export const SHOP = "shop.example.com";
export const HOSTS = [HOST, SHOP];
export const OLD = "old.example.com";

export type Cells = Readonly<Record<string, CellScript>>;

export const every = (outcome: (host: string) => CellScript): Cells => Object.fromEntries(HOSTS.map((host) => [host, outcome(host)]));
export const RIGHT = every(served);
export const DEAD = every(() => RESET);
export const WRONG = every(() => wrong(OLD));

/** Two healthy servers, and web3 with this evidence and these answers. */
export const iis = (changes: Partial<NodeEvidence>, cells: Cells = DEAD): Script => ({
  cells: { web1: RIGHT, web2: RIGHT, web3: cells },
  evidence: { web1: iisNode(HOSTS), web2: iisNode(HOSTS), web3: iisNode(HOSTS, changes) },
});

/** The same with certfarm nodes. */
export const farm = (
  changes: Partial<NodeEvidence>,
  cells: Cells = every(() => ({ kind: "alert", alert: "unrecognized_name" })),
): Script => ({
  cells: { web1: RIGHT, web2: RIGHT, web3: cells },
  evidence: { web1: certfarmNode(HOSTS), web2: certfarmNode(HOSTS), web3: certfarmNode(HOSTS, changes) },
});

export const certfarmRow = { appId: APPS.certfarm, file: `${OLD}.pfx` };
export const filesOf = (hosts: readonly string[]) => hosts.map((host) => centralFile(`${host}.pfx`));
/** Sites that name their certificates: rows by name, by hash. */
export const NAMED = bindings(...HOSTS.map((host) => binding(host, { central: false, sslFlags: 1 })));
export const INSTALLED = HOSTS.map((host) => installed(host));
export const named = (changes: Partial<NodeEvidence> = {}): NodeEvidence =>
  iisNode(HOSTS, { bindings: NAMED, table: table(...HOSTS.map((host) => hostRow(host))), certificates: INSTALLED, ...changes });
export const byName = (changes: Partial<NodeEvidence>, cells: Cells): Script => ({
  cells: { web1: RIGHT, web2: RIGHT, web3: cells },
  evidence: { web1: named(), web2: named(), web3: named(changes) },
});
export const failed = (cause: "logon" | "denied" | "unreachable" | "absent") =>
  centralStore([], { access: { kind: "failed", cause, message: "the network path was not found" } });

export function bareTables(web3: ReturnType<typeof table>, cells: Cells): Script {
  return {
    cells: { web1: RIGHT, web2: RIGHT, web3: cells },
    evidence: { web1: { table: table(centralRow()) }, web2: { table: table(centralRow()) }, web3: { table: web3 } },
  };
}

export function withDefault(): NodeEvidence {
  return iisNode(HOSTS, {
    table: table(centralRow(), anyRow(4, OLD)),
    central: centralStore(filesOf([HOST])),
    certificates: [installed(OLD)],
  });
}

export function withoutStore(host: string) {
  const { storeName: _store, ...row } = hostRow(host);
  return row;
}

export function silent(cells: Cells): Script {
  return {
    cells: { web1: RIGHT, web2: RIGHT, web3: cells },
    evidence: { web1: certfarmNode(HOSTS), web2: certfarmNode(HOSTS) },
    changes: { gaps: [{ node: "web3", what: "system", why: "it tells nothing of itself: no answer in 5 s" }] },
  };
}
