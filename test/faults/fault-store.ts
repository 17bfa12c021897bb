import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { silentLog, systemClock } from "../../src/base/index.ts";
import type { Authority } from "../../src/pki/index.ts";
import { openDirectoryStore, type FarmStore } from "../../src/store/index.ts";
import { machineMs } from "./load/start-load.ts";
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
  readonly environment: Readonly<Record<string, string>>;
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

export async function openFaultStore({ root, authority }: { readonly root: string; readonly authority: Authority }): Promise<FaultStore> {
  const directory = join(root, "store");
  mkdirSync(directory);
  writeFileSync(join(root, "passwords.yaml"), "everyFile: none\n", { mode: 0o600 });
  const open = (): Promise<FarmStore> => openDirectoryStore({ root: directory, log: silentLog, clock: systemClock });
  const own = await open();
  const issued = new Map<string, Issued[]>();
  return {
    options: ["--store", directory],
    environment: {},
    contentFolder: join(directory, "content"),
    open,
    issued,
    async issue(site) {
      const { chainPem, keyPem } = await authority.issue({ names: [site] });
      const made: Issued = { fingerprint: fingerprintOf(chainPem), fromMs: machineMs(), ackedMs: undefined };
      issued.set(site, [...(issued.get(site) ?? []), made]);
      await own.folder("certificates").put(`${site}.pem`, Buffer.from(keyPem.reveal() + chainPem));
      made.ackedMs = machineMs();
    },
    newest(site) {
      const all = issued.get(site) ?? [];
      const last = all.findLastIndex(({ ackedMs }) => ackedMs !== undefined && ackedMs < machineMs() - FOLLOW_MS);
      return all.slice(Math.max(0, last)).map(({ fingerprint }) => fingerprint);
    },
    saveFarmFile: async (text) => void (await own.folder("config").put("farm.yaml", Buffer.from(text))),
    close: () => own.close(),
  };
}
