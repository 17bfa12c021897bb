import { setMaxListeners } from "node:events";

import { FarmError, type Clock, type Log } from "../../base/index.ts";
import type { OpenedBlobs } from "../blobs/directory.ts";
import { noBlobs, noContent } from "../blobs/none.ts";
import { openBlobs } from "../blobs/open-blobs.ts";
import type { FarmStore, Folder, Rev, Store } from "../contract.ts";
import { createLeases } from "../lease.ts";
import { readFarmId } from "./directory/farm-id.ts";
import { createEtcdFolder } from "./etcd/folder.ts";
import { requireFarm } from "./etcd/founding.ts";
import { createGateway } from "./etcd/gateway.ts";
import { createEtcdKeys } from "./etcd/keys.ts";
import { listKeys } from "./etcd/list.ts";
import type { EtcdUser } from "./etcd/login.ts";
import type { EtcdPlace } from "./etcd/place.ts";
import { createPulse } from "./etcd/pulse.ts";
import { createTransport, type EtcdTls } from "./etcd/transport.ts";
import { type EtcdAddress, isLoopback, parseEtcdAddress } from "./etcd/url.ts";
import { followKey, watchKeys, type EtcdWatchSource } from "./etcd/watch.ts";

/** How to open a store in etcd. */
export interface EtcdStoreOptions {
  /** `etcds://HOST:PORT,HOST:PORT/PREFIX`, or `etcd://…` without TLS. */
  readonly url: string;
  readonly user?: EtcdUser;
  readonly tls?: EtcdTls;
  /** For what etcd is not made for: a directory, also on a share, or `s3://BUCKET/PREFIX`. Absent = blobs are refused. */
  readonly blobs?: string;
  readonly log: Log;
  readonly clock: Clock;
  /** How often to look for changes of files that no event tells of; 1000 ms unless told. */
  readonly pollMs?: number;
  /** How long one call may take over all members; 10 s unless told, which is longer than an election. */
  readonly patienceMs?: number;
  /** Whether to found a farm where none is (default). */
  readonly create?: boolean;
  /** The farm that must be there, or is founded; any unless told. */
  readonly farm?: string;
}

/**
 * A farm's store in etcd 3.4 or later, over the JSON gateway: versioned keys, and the folders `certificates` and `config`. Blobs and
 * `content` are in a directory, or blobs alone in a bucket (docs/store.md).
 * @throws STORE_URL_INVALID, STORE_UNAVAILABLE, STORE_REFUSED, STORE_UNTRUSTED, STORE_NEWER, STORE_OF_ANOTHER_FARM
 */
export async function openEtcdStore(options: EtcdStoreOptions): Promise<FarmStore> {
  const { log, clock, create = true, patienceMs = 10_000 } = options;
  const address = parseEtcdAddress(options.url);
  requireSecrecy(address, options);
  const closing = new AbortController();
  setMaxListeners(0, closing.signal); // every call listens, and there is a bound for calls
  const transport = createTransport(address.secure, options.tls);
  const gateway = createGateway({ patienceMs, address, transport, user: options.user, clock, log, closed: closing.signal });
  try {
    const founding = await requireFarm({
      gateway,
      address,
      create,
      farm: options.farm ?? (create ? await farmOfBlobs(options.blobs) : undefined),
    });
    const blobs = await blobsOf(options, address.text, founding.farm);
    const place: EtcdPlace = {
      gateway,
      guard: founding.guard,
      keys: `${address.prefix}/keys/`,
      removal: `${address.prefix}/meta/removal`,
    };
    const source = { place, pulse: createPulse(gateway, clock), clock, log };
    const close = async (): Promise<void> => {
      source.pulse.close();
      closing.abort();
      transport.close();
      await blobs.place.close();
    };
    const state = createState(source, { blobs, closed: closing.signal, close });
    const folderOf = (name: string): Folder =>
      createEtcdFolder({ ...source, place: { ...place, keys: `${address.prefix}/files/${name}/` }, name, closed: closing.signal });
    const folders: Record<"certificates" | "config" | "content", Folder> = {
      certificates: folderOf("certificates"),
      config: folderOf("config"),
      content: blobs.content ?? noContent(address.text),
    };
    const farmId = (): Promise<string> => Promise.resolve(founding.farm);
    return { state, folder: (name) => folders[name], farmId, location: address.text, close: () => state.close() };
  } catch (error) {
    closing.abort();
    transport.close();
    throw error;
  }
}

async function blobsOf({ blobs, ...options }: EtcdStoreOptions, text: string, farm: string): Promise<OpenedBlobs> {
  return blobs === undefined ? { place: noBlobs(text) } : openBlobs(blobs, { ...options, create: options.create ?? true, farm });
}

/** A directory that is a farm's already is taken along: its prefix is founded for the same farm. */
const farmOfBlobs = async (blobs: string | undefined): Promise<string | undefined> =>
  blobs === undefined || blobs.includes("://") ? undefined : readFarmId(blobs).catch(() => undefined);

/** A password in the clear is for this machine alone. */
function requireSecrecy(address: EtcdAddress, { user }: EtcdStoreOptions): void {
  if (user === undefined || address.secure || address.members.every(isLoopback)) return;
  throw new FarmError("STORE_URL_INVALID", `${address.text}: a password would cross the network in the clear; use etcds://`);
}

interface StateParts {
  readonly blobs: OpenedBlobs;
  readonly closed: AbortSignal;
  readonly close: () => Promise<void>;
}

function createState(source: EtcdWatchSource, { blobs, closed, close }: StateParts): Store {
  const { place, clock } = source;
  const keys = createEtcdKeys(place);
  // Expired before, and after as well: this process may have been stopped in between, and whoever gets an answer must find its lease lost.
  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    leases.expire();
    const result = await work();
    leases.expire();
    return result;
  };
  const write = (key: string, value: Uint8Array, expect: Rev | undefined): Promise<Rev> => guarded(() => keys.write(key, value, expect));
  const leases = createLeases({ read: (key) => keys.read(key), write, follow: (key, signal) => followKey(source, key, signal) }, clock);
  return {
    tellsAll: true,
    read: (key) => keys.read(key),
    write,
    remove: (key, expect) => guarded(() => keys.remove(key, expect)),
    list: async (prefix) => (await listKeys(place, prefix)).entries,
    watch: (prefix, { cursor, signal }) => watchKeys(source, prefix, { cursor, signal: AbortSignal.any([signal, closed]) }),
    putBlob: (content) => blobs.place.put(content),
    getBlob: (digest, options) => blobs.place.get(digest, options),
    lease: (name, ttlMs, options) => leases.acquire(name, ttlMs, options),
    async close() {
      await leases.close();
      await close();
    },
  };
}
