import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { silentLog, systemClock } from "../../src/base/index.ts";
import type { Authority } from "../../src/pki/index.ts";
import { farmKeySource, makeFarmKeyFile, sealStore } from "../../src/secrets/index.ts";
import { openStore, type FarmStore } from "../../src/store/index.ts";
import { until } from "../farm/until.ts";
import { machineMs } from "./load/start-load.ts";
import { addressOf, ETCD_HOSTS } from "./network.ts";
import { fingerprintOf } from "./proved.ts";

/** A certificate that was written into the store. */
export interface Issued {
  readonly fingerprint: string;
  /** When its write began. */
  readonly fromMs: number;
  /** Undefined: the store did not say whether it was written. */
  ackedMs: number | undefined;
}

/** The farm's store as the tests' machine sees it, and what was written there. */
export interface FaultStore {
  /** For the command line of every part. */
  readonly options: readonly string[];
  /** For the parts that open the farm's secrets, besides. */
  readonly keyOptions: readonly string[];
  /** Where content is laid. */
  readonly contentFolder: string;
  /** A handle of its own. */
  open(): Promise<FarmStore>;
  readonly issued: ReadonlyMap<string, readonly Issued[]>;
  /** Issues a certificate for a site and writes it over the former one. @throws the store's errors */
  issue(site: string): Promise<void>;
  /** What a node that is up to date serves: the certificate written last, or one written in the last moments. */
  newest(site: string): readonly string[];
  saveFarmFile(text: string): Promise<void>;
  close(): Promise<void>;
}

/** A node has this long to serve a new certificate before it counts as behind. */
const FOLLOW_MS = 4_000;

const FOUNDED_MS = 30_000;

/** The members have just been started. */
async function openFirst(open: () => Promise<FarmStore>): Promise<FarmStore> {
  return (await until(open, { what: "etcd answers", deadlineMs: FOUNDED_MS })).value;
}

/** Founds the farm's store in etcd; large content is in a directory that all hosts share. */
export async function openFaultStore({ root, authority }: { readonly root: string; readonly authority: Authority }): Promise<FaultStore> {
  const blobs = join(root, "blobs");
  mkdirSync(blobs, { mode: 0o700 });
  const place = `etcd://${ETCD_HOSTS.map((host) => `${addressOf(host)}:2379`).join(",")}/faults`;
  const open = (create = false): Promise<FarmStore> => openStore({ place, blobs }, { log: silentLog, clock: systemClock, create });
  const own = await openFirst(() => open(true));
  const keyFile = join(root, "farm.key");
  await makeFarmKeyFile(keyFile);
  const source = farmKeySource({ file: keyFile, environment: {} });
  const sealed = sealStore(own, { source, log: silentLog, clock: systemClock });
  const issued = new Map<string, Issued[]>();
  return {
    options: ["--store", place, "--blobs", blobs],
    keyOptions: ["--farm-key-file", keyFile],
    contentFolder: join(blobs, "content"),
    open: () => open(),
    issued,
    async issue(site) {
      const { chainPem, keyPem } = await authority.issue({ names: [site] });
      const made: Issued = { fingerprint: fingerprintOf(chainPem), fromMs: machineMs(), ackedMs: undefined };
      issued.set(site, [...(issued.get(site) ?? []), made]);
      await sealed.store.folder("certificates").put(`${site}.pem`, Buffer.from(keyPem.reveal() + chainPem));
      made.ackedMs = machineMs();
    },
    newest(site) {
      const all = issued.get(site) ?? [];
      const last = all.findLastIndex(({ ackedMs }) => ackedMs !== undefined && ackedMs < machineMs() - FOLLOW_MS);
      return all.slice(Math.max(0, last)).map(({ fingerprint }) => fingerprint);
    },
    saveFarmFile: async (text) => void (await own.folder("config").put("farm.yaml", Buffer.from(text))),
    close: () => sealed.store.close(),
  };
}
