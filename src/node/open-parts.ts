import { join } from "node:path";

import { systemClock, type Clock, type Log } from "../base/index.ts";
import {
  openCentralCertificates,
  openKeptCopies,
  type CentralCertificates,
  type PasswordSource,
  type ScanSettings,
} from "../certificates/index.ts";
import type { IdentityState, Signing } from "../identity/index.ts";
import {
  createContentReplica,
  createLastGood,
  createRequestRefusals,
  createRevisions,
  createTicketKeys,
  type ContentReplica,
  type Judge,
  type LastGood,
  type LastGoodReading,
  type RequestRefusals,
  type Revisions,
  type TicketKeys,
} from "../replica/index.ts";
import { openOwnKey } from "../secrets/index.ts";
import type { FarmStore } from "../store/index.ts";
import { createAccessLogs, type AccessLogs } from "./access-logs.ts";
import { createClientAuthorities } from "./client-authorities.ts";
import { faultyClock, faultyStore, type Faults } from "./faults.ts";
import { faultyCertificates, type FaultyCertificates } from "./faulty-certificates.ts";
import type { Adopt } from "./listeners.ts";
import { Serving } from "./serving.ts";

/** What a node is started with. */
export interface NodeSettings {
  readonly name: string;
  readonly store: FarmStore;
  /** The node's own directory: binding table, last good configuration, certificates (encrypted), content, access log. */
  readonly dataDir: string;
  readonly version: string;
  readonly log: Log;
  readonly clock?: Clock;
  readonly passwords: PasswordSource;
  /** Decides on a farm.yaml that somebody saved into the store. */
  readonly judge: Judge;
  /**
   * With it the node does only what admins of the farm signed, and signs its answers; the farm's common duties are then those of admins.
   * Absent = a farm without identities.
   */
  readonly signing?: Signing | undefined;
  /** How that identity stands, for the node's report. */
  readonly identity?: (() => IdentityState) | undefined;
  readonly scan?: "off" | ScanSettings;
  /** How long open connections may go on after `close()`. @default 10000 */
  readonly drainMs?: number;
  /** How long health checks say "draining" before listeners close, so that balancers send nobody to closed doors. @default 0 */
  readonly noticeMs?: number;
  /** @default 12 hours */
  readonly rotateTicketsEveryMs?: number;
  /** Sockets that were bound before the process gave up root. */
  readonly adopt?: Adopt;
  /** Lets drills put faults into this node. @default false */
  readonly allowDrills?: boolean;
}

/** What a node keeps on its disk or follows in the store, and what serves by it. */
export interface NodeParts {
  /** The node's clock; a drill may make it another one than the machine's. */
  readonly clock: Clock;
  readonly store: FarmStore;
  /** Where drills act; absent = they are not allowed. */
  readonly drilled?: { readonly faults: Faults; readonly certificates: FaultyCertificates; readonly clock: Clock };
  readonly accessLogs: AccessLogs;
  readonly certificates: CentralCertificates;
  readonly content: ContentReplica;
  readonly tickets: TicketKeys;
  readonly lastGood: LastGood;
  /** What `lastGood` held at the start. */
  readonly kept: LastGoodReading;
  readonly revisions: Revisions;
  readonly requestRefusals: RequestRefusals;
  readonly serving: Serving;
  /** The node listens: what can wait for that is done from now on. */
  listening(): void;
  close(): Promise<void>;
}

/** The first clients of a node that starts come at once; the names of all its certificates can wait for them. */
const LIST_AFTER_MS = 300;

/** Opens everything below the data directory. @throws CERTIFICATES_KEPT_UNUSABLE */
export async function openNodeParts(settings: NodeSettings): Promise<NodeParts> {
  const { name, dataDir, log, passwords, scan } = settings;
  const { faults, machineClock, clock, store } = drillable(settings);
  const keep = await openKeptCopies({ folder: join(dataDir, "certificates"), log });
  const accessLogs = createAccessLogs({ dir: join(dataDir, "logs"), clock, log });
  const folder = store.folder("certificates");
  let listening: () => void = () => {};
  const listAfter = new Promise<void>((resolve) => (listening = resolve));
  const real = openCentralCertificates({ folder, clock, log, passwords, keep, listAfter, ...(scan === undefined ? {} : { scan }) });
  const faulty = faults === undefined ? undefined : faultyCertificates(real);
  const certificates = faulty ?? real;
  const { signing } = settings;
  const content = await createContentReplica({ store, dataDir, log, clock, signing });
  const ownKey = await openOwnKey(join(dataDir, "certificates"));
  const tickets = createTicketKeys({ store, clock, log, kept: { dataDir, ownKey } });
  const lastGood = createLastGood({ dataDir });
  const kept = await lastGood.load();
  const applied = kept.kind === "found" ? kept.revision : undefined;
  const initial = { table: { rows: [] }, config: undefined, sites: undefined, ticketKeys: tickets.current() };
  const serving = new Serving({
    node: name,
    clock,
    log,
    accessLog: accessLogs,
    certificates,
    authorities: createClientAuthorities({ folder, dir: join(dataDir, "authorities"), clock, log }),
    content,
    initial,
    ...(faults === undefined ? {} : { faults }),
    ...(settings.adopt === undefined ? {} : { adopt: settings.adopt }),
  });
  return {
    clock,
    store,
    ...(faults === undefined || faulty === undefined ? {} : { drilled: { faults, certificates: faulty, clock: machineClock } }),
    accessLogs,
    certificates,
    content,
    tickets,
    lastGood,
    kept,
    revisions: createRevisions(store, { clock, log, signing, applied }),
    requestRefusals: createRequestRefusals({ clock, log }),
    serving,
    listening: () => void setTimeout(listening, LIST_AFTER_MS).unref(),
    async close() {
      await serving.close();
      await certificates.close();
      await content.close();
      await accessLogs.close();
    },
  };
}

/** The clock and the store; where drills are allowed they can be made to fail. */
function drillable(settings: NodeSettings) {
  const machineClock = settings.clock ?? systemClock;
  if (settings.allowDrills !== true) return { faults: undefined, machineClock, clock: machineClock, store: settings.store };
  const faults: Faults = {};
  return { faults, machineClock, clock: faultyClock(machineClock, faults), store: faultyStore(settings.store, faults) };
}
