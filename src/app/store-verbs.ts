import { createLog, silentLog, systemClock } from "../base/index.ts";
import type { StoreVerbs } from "../cli/index.ts";
import { sendContent } from "../replica/index.ts";
import { isPlainSecret } from "../secrets/index.ts";
import { openPlainFolder, openStore, parseStorePlace, type StoreSettings } from "../store/index.ts";
import { backupStore, checkStore, copyStore, openTransferEnd, restoreStore, verifyBackup } from "../store/whole-store.ts";

const clock = systemClock;

/** Verbs on stores, done in this process; what a store has to say goes to standard error. */
export function createStoreVerbs(signal: AbortSignal): StoreVerbs {
  const log = createLog({ write: (line) => process.stderr.write(`${line}\n`), now: () => clock.now(), level: "warn" });
  const options = { log, clock };
  return {
    check: (settings) => checkStore(settings, { log: silentLog, clock, signal }),
    async copy({ from: source, to: target, follow, until, onStep }) {
      const from = await openTransferEnd(source, options);
      try {
        const to = await openTransferEnd(target, { ...options, create: true, farm: await from.store.farmId() });
        try {
          return await copyStore(from, { ...to, ...onlySealed(target) }, { clock, follow, until, onStep });
        } finally {
          await to.close();
        }
      } finally {
        await from.close();
      }
    },
    async backup(settings, file) {
      const end = await openTransferEnd(settings, options);
      try {
        return await backupStore(end, file, { clock, signal });
      } finally {
        await end.close();
      }
    },
    async sendContent(settings, { from, folder, onFile }) {
      const source = openPlainFolder(from, options);
      const store = await openStore(settings, options);
      try {
        return await sendContent(store.state, source.folder, { folder, signal, onFile });
      } finally {
        await store.close();
        source.close();
      }
    },
    verifyBackup,
    async restore({ farm }, file, { to, overwrite }) {
      const end = await openTransferEnd(to, { ...options, create: true, farm });
      try {
        return await restoreStore(file, { ...end, ...onlySealed(to) }, { overwrite, clock, signal });
      } finally {
        await end.close();
      }
    },
  };
}

/** Whoever has etcd's password, or a disk of a member, reads what is in it. */
const onlySealed = ({ place }: StoreSettings): { readonly takes?: (name: string, bytes: Uint8Array) => boolean } =>
  parseStorePlace(place).kind === "etcd" ? { takes: (name, bytes) => !isPlainSecret(name, bytes) } : {};
