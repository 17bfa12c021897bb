import { readFile, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";

import {
  ADMIN_FILE,
  createAccessHandlers,
  createDispatch,
  createHandlers,
  createLocalHandlers,
  startAdminServer,
  writePrivately,
  type AdminServer,
} from "../admin/index.ts";
import { FarmError, parseIpAddress, systemClock, type Endpoint, type Log } from "../base/index.ts";
import { openPasswords, withSharedPasswords } from "../certificates/index.ts";
import type { IdentityKeeper } from "../identity/index.ts";
import { createOperations } from "../operations/index.ts";
import type { SealedStore } from "../secrets/index.ts";
import type { FarmStore, StoreSettings } from "../store/index.ts";
import { openAccess } from "./admin-access.ts";
import { doAdminDuties, signBeforeRevoking } from "./admin-signature.ts";
import { currentUser } from "./current-user.ts";
import { openAdminIdentity, type AdminIdentity } from "./process-identity.ts";
import { VERSION } from "./version.ts";

/** Where an admin API finds its farm and leaves its files. */
export interface AdminParts {
  readonly sealed: SealedStore;
  /** Folder for `admin.json`, the token, old parts of the audit log and the identity; `local` of the farm's folder. */
  readonly local: string;
  /** Password file of the central certificates, if there is one. */
  readonly passwords?: string;
  /** PEM file of the farm's own root, if there is one: the doctor verifies against it. */
  readonly authority?: string;
  /** What machines that join enter the store with. Absent: the store's place alone. */
  readonly settings?: StoreSettings;
  /** The farm key's file, which machines that join are given. */
  readonly farmKeyFile?: string | undefined;
  readonly port: number;
  /** Where other machines reach it, by HTTPS. */
  readonly outside?: Endpoint;
  /** Host names that it goes by there. */
  readonly names?: readonly string[];
  readonly log: Log;
}

/** A running admin API. */
export interface RunningAdmin {
  readonly url: string;
  /** Where other machines reach it. */
  readonly outsideUrl?: string;
  readonly tokenFile: string;
  close(): Promise<void>;
}

/**
 * Serves the admin API on 127.0.0.1, and by HTTPS where other machines reach it, and says in `admin.json` where it is.
 * @throws ADMIN_LISTEN_FAILED, ADMIN_IDENTITY_NEEDED, ADMIN_FILES_UNUSABLE, IDENTITY_FOLDER_UNUSABLE
 */
export async function serveAdmin(parts: AdminParts): Promise<RunningAdmin> {
  const { sealed, local, passwords, authority, log } = parts;
  const clock = systemClock;
  const { store } = sealed;
  const ending = new AbortController();
  const { settings = { place: store.location }, farmKeyFile } = parts;
  const identity = await openAdminIdentity({ data: local, store, log }, { settings, farmKeyFile });
  const keeper = identity?.keeper;
  const signing = keeper === undefined ? {} : { signing: keeper };
  const access = await openAccess({ state: store.state, local, clock, log, signing: keeper });
  const own = await openPasswords({ environment: process.env, log, ...(passwords === undefined ? {} : { file: passwords }) });
  const source = withSharedPasswords(own, { store, clock, log, signal: ending.signal });
  const roots = authority === undefined ? {} : { caPem: await readFile(authority, "utf8") };
  const { audit, tokenFile } = access;
  const operations = createOperations({ store, sealed, clock, log, audit, passwords: source, by: currentUser(), ...roots, ...signing });
  const handlers = {
    ...createHandlers(operations, createLocalHandlers({ clock, log }), accessOf(identity, { store, log })),
    ...createAccessHandlers(access),
  };
  const serving = { dispatch: createDispatch(handlers, audit), logIn: access.logIn, version: VERSION, clock, log };
  const [inside, outside] = await listenAll(parts, serving, keeper);
  const duties = keeper === undefined ? undefined : doAdminDuties({ store, signing: keeper, log, passwords: source, audit }, ending.signal);
  const file = join(local, ADMIN_FILE.replace(/^local\//, ""));
  await writePrivately(file, `${JSON.stringify({ url: inside.url, tokenFile, pid: process.pid }, null, 2)}\n`);
  return {
    url: inside.url,
    ...(outside === undefined ? {} : { outsideUrl: outside.url }),
    tokenFile,
    async close() {
      ending.abort();
      await rm(file, { force: true });
      await inside.close();
      await outside?.close();
      await duties;
      await keeper?.close();
    },
  };
}

/** What others may ask of this admin's identity. */
function accessOf(
  identity: AdminIdentity | undefined,
  { store, log }: { store: FarmStore; log: Log },
): AdminIdentity["access"] | undefined {
  if (identity === undefined) return undefined;
  const { access, keeper } = identity;
  return { ...access, desk: signBeforeRevoking(access.desk, { store, signing: keeper, log }) };
}

type Serving = Omit<Parameters<typeof startAdminServer>[0], "listen" | "tls" | "names">;

/** On the loopback, and outside when that is asked for: both or none. */
async function listenAll(
  { port, outside, names = [] }: Pick<AdminParts, "port" | "outside" | "names">,
  serving: Serving,
  keeper: IdentityKeeper | undefined,
): Promise<readonly [AdminServer, AdminServer | undefined]> {
  if (outside !== undefined && keeper === undefined) {
    throw new FarmError(
      "ADMIN_IDENTITY_NEEDED",
      `the admin API cannot listen on ${outside.address}:${outside.port} without an identity: other machines could not tell that it is the farm's`,
    );
  }
  const inside = await startAdminServer({ ...serving, listen: { address: loopback(), port } });
  if (outside === undefined || keeper === undefined) return [inside, undefined];
  try {
    return [inside, await startAdminServer({ ...serving, listen: outside, tls: keeper, names: [hostname(), ...names] })];
  } catch (error) {
    await inside.close();
    throw error;
  }
}

function loopback() {
  const address = parseIpAddress("127.0.0.1");
  if (address === undefined) throw new FarmError("INTERNAL", "127.0.0.1 is no address");
  return address;
}
