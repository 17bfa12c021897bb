import { randomBytes, randomUUID } from "node:crypto";

import { FarmError, parseHostName, patternCovers, systemClock, type Clock, type HostName } from "../../base/index.ts";
import { addRow, createRow, deleteRow, type BindingTable } from "../../bindings/index.ts";
import type { ResyncPart } from "../../doctor/index.ts";
import type { TicketKey, TicketKeySet, TicketKeys } from "../../replica/index.ts";
import type { Faults } from "../faults.ts";
import type { CertificateFault, FaultyCertificates } from "../faulty-certificates.ts";
import type { Reconciler } from "../reconciler.ts";
import type { Serving } from "../serving.ts";
import { chainFault, expiredFault, frozenFault, passwordFault, renamedFault, type ServingFile } from "./certificate-faults.ts";
import type { DrillName, DrillOrder } from "./types.ts";

/** What faults are put into. */
export interface FaultParts {
  /** The machine's clock. */
  readonly clock: Clock;
  readonly faults: Faults;
  readonly certificates: FaultyCertificates;
  readonly reconciler: Reconciler;
  readonly serving: Serving;
  readonly tickets: Pick<TicketKeys, "current">;
  /** Ends the process in an instant, once the answer is on its way. Until the drill is over the node stays dead. */
  readonly die: (order: DrillOrder) => Promise<void>;
}

/** A fault that was put in. */
export interface BegunFault {
  /** What was done, in a sentence. */
  readonly did: string;
  /** Takes it out again. */
  readonly end: () => Promise<void>;
}

/** A drill of this node: how it begins, and what of the node has to be done again for it to end. */
interface NodeDrill {
  readonly endsWith?: ResyncPart;
  /** The table itself says whether it still runs. */
  readonly inTable?: true;
  /** It concerns every host of the node. */
  readonly wide?: true;
  begin(parts: FaultParts, order: Question): Promise<BegunFault>;
}

type Question = DrillOrder & { readonly name: HostName };

const SKEW_MS = 600_000;
const MAX_REPORTS = 1_000;

/** Every drill of a node. */
export const NODE_DRILLS: Readonly<Record<DrillName, NodeDrill>> = {
  "central-row-missing": {
    endsWith: "table",
    inTable: true,
    wide: true,
    begin: (parts, { port }) =>
      holdTable(parts, `the central row for port ${port} is out of the table`, (table) => deleteRow(table, { kind: "central", port })),
  },
  "ip-row-shadows": { endsWith: "table", inTable: true, wide: true, begin: shadow },
  "wrong-password": {
    begin: async (parts, { name, port }) => {
      const serving = await servingFiles(parts, name, port);
      return certificates(parts, passwordFault(serving), `no password opens ${fileList(serving)} any longer`);
    },
  },
  "wildcard-depth": {
    endsWith: "certificates",
    begin: async (parts, { name, port, host }) => {
      const serving = await servingFiles(parts, name, port);
      const fault = renamedFault(serving, host);
      return certificates(parts, fault, `${fileList(serving)} is seen as ${fault.listedAs?.join(", ") ?? ""}`);
    },
  },
  "stale-certificate": {
    endsWith: "certificates",
    begin: async (parts, { name, port }) => {
      const serving = await servingFiles(parts, name, port);
      const fault = await frozenFault(parts.certificates.real, serving, MAX_REPORTS);
      return certificates(parts, fault, `a replacement of ${fileList(serving)} is not taken over: replace the file now`);
    },
  },
  "chain-incomplete": {
    endsWith: "certificates",
    begin: async (parts, { name, port }) => {
      const serving = await servingFiles(parts, name, port);
      return certificates(parts, await chainFault(parts.certificates.real, serving), `of ${fileList(serving)} the leaf alone is sent`);
    },
  },
  expired: {
    endsWith: "certificates",
    begin: async (parts, { name, port, host }) => {
      const fault = await expiredFault(await servingFiles(parts, name, port), host, parts.clock.now());
      return certificates(parts, fault, `a certificate that ended a moment ago is served for ${host}`);
    },
  },
  "store-gone": {
    begin: async ({ faults, certificates: { real } }) => {
      faults.storeGone = true;
      void real.refresh([]).catch(ignore);
      return {
        did: "the folders of the store do not answer",
        end: async () => {
          delete faults.storeGone;
          await real.refresh([]);
        },
      };
    },
  },
  "torn-config": {
    endsWith: "configuration",
    begin: async ({ faults, reconciler }) => {
      const revision = reconciler.state.applied?.revision.number ?? 0;
      faults.heldBack = `the newest revision is torn: its text ends in the middle of line 7 (a drill)`;
      await reconciler.reconcile();
      return {
        did: `the node cannot read newer configuration and stays with revision ${revision}`,
        end: () => {
          delete faults.heldBack;
          return reconciler.reconcile();
        },
      };
    },
  },
  "clock-skew": {
    begin: async ({ faults, serving }) => {
      faults.clockOffsetMs = SKEW_MS;
      serving.update({});
      return {
        did: `the node's clock is ${SKEW_MS / 60_000} minutes ahead`,
        end: async () => {
          delete faults.clockOffsetMs;
          serving.update({});
        },
      };
    },
  },
  "ticket-keys-differ": {
    endsWith: "ticket-keys",
    begin: async ({ serving, tickets }) => {
      serving.update({ ticketKeys: ownKeys() });
      return {
        did: "the node seals session tickets with keys of its own",
        end: async () => serving.update({ ticketKeys: tickets.current() }),
      };
    },
  },
  "plain-http-on-tls-port": {
    endsWith: "listeners",
    wide: true,
    begin: async ({ faults }, { port }) => {
      faults.plainPort = port;
      return { did: `port ${port} speaks HTTP in the clear`, end: async () => void delete faults.plainPort };
    },
  },
  "proxy-protocol-mismatch": {
    endsWith: "listeners",
    wide: true,
    begin: async ({ faults }, { port }) => {
      faults.headedPort = port;
      return { did: `port ${port} takes no connection without a PROXY header`, end: async () => void delete faults.headedPort };
    },
  },
  "node-dead": {
    wide: true,
    begin: async ({ die }, order) => {
      await die(order);
      return { did: "the node's process is killed", end: async () => undefined };
    },
  },
};

/** Puts a fault in. @throws DRILL_NOT_POSSIBLE, HOST_NAME_INVALID, BINDING_ROW_ABSENT, BINDING_ROW_EXISTS */
export function beginFault(parts: FaultParts, order: DrillOrder): Promise<BegunFault> {
  const name = parseHostName(order.host);
  if (name === undefined) throw new FarmError("HOST_NAME_INVALID", `${JSON.stringify(order.host.slice(0, 300))} is not a host name`);
  return NODE_DRILLS[order.drill].begin(parts, { ...order, name });
}

async function holdTable({ reconciler }: FaultParts, did: string, change: (table: BindingTable) => BindingTable): Promise<BegunFault> {
  await reconciler.hold(change);
  return { did, end: () => reconciler.release() };
}

/** A row for the node's first address, with a certificate that is wrong for the host. */
async function shadow(parts: FaultParts, { name, port }: Question): Promise<BegunFault> {
  const { certificates: central, serving } = parts;
  const address = serving.listeners.open().find((one) => one.bindingPort === port && one.protocol === "https")?.address;
  if (address === undefined || address === "0.0.0.0" || address === "::")
    throw new FarmError("DRILL_NOT_POSSIBLE", `the node listens on no address of its own for port ${port}: a row needs one`);
  const own = new Set((await servingFiles(parts, name, port)).map(({ file }) => file));
  const other = central.reports(MAX_REPORTS).find(({ file, status }) => {
    const known = central.view.file(file);
    return status === "ok" && !own.has(file) && known?.state === "usable" && !known.leaf.dnsNames.some((one) => patternCovers(one, name));
  });
  if (other === undefined)
    throw new FarmError("DRILL_NOT_POSSIBLE", `the node has read no certificate that is for another host than ${name}`);
  const row = createRow({ key: { kind: "ip", address, port }, file: other.file, origin: "operator" });
  return holdTable(parts, `a row for ${address} port ${port} answers every name with ${other.file}`, (table) => addRow(table, row));
}

async function certificates({ certificates: central }: FaultParts, fault: CertificateFault, did: string): Promise<BegunFault> {
  central.set(fault);
  return {
    did,
    end: async () => {
      central.set(undefined);
      await central.real.refresh([...fault.files]);
    },
  };
}

/** The files from which the node serves a host now. @throws DRILL_NOT_POSSIBLE */
async function servingFiles({ serving, certificates: central }: FaultParts, host: HostName, port: number): Promise<readonly ServingFile[]> {
  const address = serving.listeners.open().find((one) => one.bindingPort === port)?.address;
  if (address === undefined) throw new FarmError("DRILL_NOT_POSSIBLE", `the node does not listen for port ${port}`);
  const decision = await serving.selector.settled({ serverName: { kind: "name", host }, address, port });
  if (decision.kind === "refuse") throw new FarmError("DRILL_NOT_POSSIBLE", `the node does not serve ${host} (${decision.reason})`);
  const files = decision.certificates.flatMap(({ file }): readonly ServingFile[] => {
    const known = central.real.view.file(file);
    return known?.state === "usable" ? [{ file, leaf: known.leaf }] : [];
  });
  if (files.length === 0) throw new FarmError("DRILL_NOT_POSSIBLE", `no central certificate file serves ${host}`);
  return files;
}

const fileList = (files: readonly ServingFile[]): string => files.map(({ file }) => file).join(", ");

function ownKeys(): TicketKeySet {
  const key = (): TicketKey => ({ id: randomUUID(), secret: randomBytes(32), createdAt: systemClock.now() });
  return { current: key(), next: key() };
}

function ignore(): void {
  // The drill is that it fails.
}
