import { randomUUID } from "node:crypto";

import { systemClock, type Clock } from "../../base/index.ts";
import type { FarmStore, Folder, Store } from "../contract.ts";
import { createLeases } from "../lease.ts";
import type { FaultPlan } from "./memory-faults.ts";
import { createMemoryFolder, type MemoryFolderData, newFolderData } from "./memory-folder.ts";
import { createMemoryState, type MemoryStateData, newStateData } from "./memory-state.ts";

/** What several memory stores share, as several processes share a directory. */
export interface MemoryBacking {
  readonly farm: string;
  readonly state: MemoryStateData;
  readonly folders: Readonly<Record<FolderName, MemoryFolderData>>;
}

type FolderName = "certificates" | "content" | "config";

/** An empty backing. */
export const createMemoryBacking = (): MemoryBacking => ({
  farm: randomUUID(),
  state: newStateData(),
  folders: { certificates: newFolderData(), content: newFolderData(), config: newFolderData() },
});

/** A store in this process's memory: for tests and for proving the conformance suite. Nothing outlives the backing. */
export function createMemoryStore(
  options: { readonly backing?: MemoryBacking; readonly clock?: Clock; readonly faults?: FaultPlan } = {},
): FarmStore {
  const { backing = createMemoryBacking(), clock = systemClock, faults = () => undefined } = options;
  const closing = new AbortController();
  const shared = { clock, faults, closed: closing.signal };
  const cell = createMemoryState(backing.state, shared);
  const leases = createLeases(cell, clock);
  const close = async (): Promise<void> => {
    await leases.close();
    closing.abort();
  };
  const state: Store = {
    ...cell,
    write(key, value, expect) {
      leases.expire();
      return cell.write(key, value, expect);
    },
    remove(key, expect) {
      leases.expire();
      return cell.remove(key, expect);
    },
    lease: (name, ttlMs, settings) => leases.acquire(name, ttlMs, settings),
    close,
  };
  const folders: Record<FolderName, Folder> = {
    certificates: createMemoryFolder("certificates", backing.folders.certificates, shared),
    content: createMemoryFolder("content", backing.folders.content, shared),
    config: createMemoryFolder("config", backing.folders.config, shared),
  };
  return { state, folder: (name) => folders[name], farmId: () => Promise.resolve(backing.farm), location: "memory", close };
}
