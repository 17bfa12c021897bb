import { setMaxListeners } from "node:events";
import { join, resolve } from "node:path";

import { FarmError, type Clock, type Log } from "../../base/index.ts";
import type { FarmStore, Folder, Rev, Store } from "../contract.ts";
import { createLeases } from "../lease.ts";
import { getBlob, putBlob } from "./directory/blobs.ts";
import { openFarmMarker } from "./directory/farm-id.ts";
import { createDirectoryFolder } from "./directory/folder.ts";
import { createGate } from "./directory/gate.ts";
import { startSweeping } from "./directory/sweep.ts";
import { requireFarm } from "./etcd/founding.ts";
import { createGateway } from "./etcd/gateway.ts";
import { createEtcdKeys } from "./etcd/keys.ts";
import { listKeys } from "./etcd/list.ts";
import type { EtcdUser } from "./etcd/login.ts";
import { createPulse } from "./etcd/pulse.ts";
import { createTransport, type EtcdTls } from "./etcd/transport.ts";
import { type EtcdAddress, isLoopback, parseEtcdAddress } from "./etcd/url.ts";
import { watchKeys } from "./etcd/watch.ts";

/** How to open a store in etcd. */
export interface EtcdStoreOptions {
  /** `etcds://HOST:PORT,HOST:PORT/PREFIX`, or `etcd://…` without TLS. */
  readonly url: string;
  readonly user?: EtcdUser;
  readonly tls?: EtcdTls;
  /**
   * A directory, also on a share, for what etcd is not made for: blobs, and the folders that people write to (certificates,
   * configuration, content). It has the form of a directory store.
   */
  readonly files: string;
  readonly log: Log;
  readonly clock: Clock;
  /** How often to look for changes of files that no event tells of; 1000 ms unless told. */
  readonly pollMs?: number;
  /** How long one call may take over all members; 10 s unless told, which is longer than an election. */
  readonly patienceMs?: number;
  /** Whether to found a farm where none is (default). */
  readonly create?: boolean;
}

/**
 * A farm's store with its versioned keys in etcd 3.4 or later, over the JSON gateway, and its files in a directory (docs/store.md).
 * @throws STORE_URL_INVALID, STORE_UNAVAILABLE, STORE_REFUSED, STORE_UNTRUSTED, STORE_NEWER, STORE_OF_ANOTHER_FARM
 */
export async function openEtcdStore(options: EtcdStoreOptions): Promise<FarmStore> {
  const { log, clock, create = true, pollMs = 1000, patienceMs = 10_000 } = options;
  const address = parseEtcdAddress(options.url);
  requireSecrecy(address, options);
  const closing = new AbortController();
  setMaxListeners(0, closing.signal); // every call listens, and there is a bound for calls
  const transport = createTransport(address.secure, options.tls);
  const files = resolve(options.files);
  const gate = createGate();
  try {
    const gateway = createGateway({ patienceMs, address, transport, user: options.user, clock, log, closed: closing.signal });
    const marker = await gate.run(`opening ${files}`, () => openFarmMarker(files, create, clock));
    await requireFarm({ gateway, address, farm: marker.id, create });
    const place = { gateway, keys: `${address.prefix}/keys/`, removal: `${address.prefix}/meta/removal` };
    const state = createState({ place, files, gate, clock, log, closing, transport });
    const shared = { gate, marker, clock, log, pollMs, closed: closing.signal };
    const folders: Record<"certificates" | "config" | "content", Folder> = {
      certificates: createDirectoryFolder({ ...shared, path: join(files, "certificates"), isDeep: false, fileMode: 0o600 }),
      config: createDirectoryFolder({ ...shared, path: join(files, "config"), isDeep: true, fileMode: 0o666 }),
      content: createDirectoryFolder({ ...shared, path: join(files, "content"), isDeep: true, fileMode: 0o666 }),
    };
    return { state, folder: (name) => folders[name], location: address.text, close: () => state.close() };
  } catch (error) {
    closing.abort();
    transport.close();
    gate.close();
    throw error;
  }
}

/** A password in the clear is for this machine alone. */
function requireSecrecy(address: EtcdAddress, { user }: EtcdStoreOptions): void {
  if (user === undefined || address.secure || address.members.every(isLoopback)) return;
  throw new FarmError("STORE_URL_INVALID", `${address.text}: a password would cross the network in the clear; use etcds://`);
}

interface StateParts {
  readonly place: Parameters<typeof createEtcdKeys>[0];
  readonly files: string;
  readonly gate: ReturnType<typeof createGate>;
  readonly clock: Clock;
  readonly log: Log;
  readonly closing: AbortController;
  readonly transport: ReturnType<typeof createTransport>;
}

function createState(parts: StateParts): Store {
  const { place, files, gate, clock, log, closing } = parts;
  const directory = join(files, "state");
  const blobs = { blobs: join(directory, "blobs"), temp: join(directory, "tmp"), gate };
  const sweeping = startSweeping({ keys: join(directory, "keys"), temp: blobs.temp, hasLinks: true, gate }, log);
  const keys = createEtcdKeys(place);
  const pulse = createPulse(place.gateway);
  // Expired before, and after as well: this process may have been stopped in between, and whoever gets an answer must find its lease lost.
  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    leases.expire();
    const result = await work();
    leases.expire();
    return result;
  };
  const write = (key: string, value: Uint8Array, expect: Rev | undefined): Promise<Rev> => guarded(() => keys.write(key, value, expect));
  const leases = createLeases({ read: (key) => keys.read(key), write }, clock);
  return {
    read: (key) => keys.read(key),
    write,
    remove: (key, expect) => guarded(() => keys.remove(key, expect)),
    list: async (prefix) => (await listKeys(place, prefix)).entries,
    watch: (prefix, { cursor, signal }) =>
      watchKeys({ place, pulse, clock, log }, prefix, { cursor, signal: AbortSignal.any([signal, closing.signal]) }),
    putBlob: (content) => putBlob(blobs, content),
    getBlob: (digest, options) => getBlob(blobs, digest, options?.signal),
    lease: (name, ttlMs, options) => leases.acquire(name, ttlMs, options),
    async close() {
      await leases.close();
      sweeping.close();
      pulse.close();
      closing.abort();
      parts.transport.close();
      gate.close();
    },
  };
}
