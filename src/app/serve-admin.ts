import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";

import {
  ADMIN_FILE,
  createDispatch,
  createHandlers,
  createLocalHandlers,
  openToken,
  startAdminServer,
  writePrivately,
} from "../admin/index.ts";
import { FarmError, parseIpAddress, systemClock, type Log } from "../base/index.ts";
import { openPasswords, withSharedPasswords } from "../certificates/index.ts";
import { createOperations } from "../operations/index.ts";
import type { SealedStore } from "../secrets/index.ts";
import { currentUser } from "./current-user.ts";
import { VERSION } from "./version.ts";

/** Where an admin API finds its farm and leaves its files. */
export interface AdminParts {
  readonly sealed: SealedStore;
  /** Folder for `admin.json` and the token; `local` of the farm's folder. */
  readonly local: string;
  /** Password file of the central certificates, if there is one. */
  readonly passwords?: string;
  /** PEM file of the farm's own root, if there is one: the doctor verifies against it. */
  readonly authority?: string;
  readonly port: number;
  readonly log: Log;
}

/** A running admin API. */
export interface RunningAdmin {
  readonly url: string;
  readonly tokenFile: string;
  close(): Promise<void>;
}

/** Serves the admin API on 127.0.0.1 and says in `admin.json` where it is. @throws ADMIN_LISTEN_FAILED, ADMIN_FILES_UNUSABLE */
export async function serveAdmin({ sealed, local, passwords, authority, port, log }: AdminParts): Promise<RunningAdmin> {
  const clock = systemClock;
  const { store } = sealed;
  const ending = new AbortController();
  const own = await openPasswords({ environment: process.env, log, ...(passwords === undefined ? {} : { file: passwords }) });
  const source = withSharedPasswords(own, { store, clock, log, signal: ending.signal });
  const roots = authority === undefined ? {} : { caPem: await readFile(authority, "utf8") };
  const operations = createOperations({ store, sealed, clock, log, passwords: source, by: currentUser(), ...roots });
  const tokenFile = join(local, "admin-token");
  const server = await startAdminServer({
    dispatch: createDispatch(createHandlers(operations, createLocalHandlers({ clock, log }))),
    token: await openToken(tokenFile),
    listen: { address: loopback(), port },
    version: VERSION,
    log,
  });
  const file = join(local, ADMIN_FILE.replace(/^local\//, ""));
  await writePrivately(file, `${JSON.stringify({ url: server.url, tokenFile, pid: process.pid }, null, 2)}\n`);
  return {
    url: server.url,
    tokenFile,
    async close() {
      ending.abort();
      await rm(file, { force: true });
      await server.close();
    },
  };
}

function loopback() {
  const address = parseIpAddress("127.0.0.1");
  if (address === undefined) throw new FarmError("INTERNAL", "127.0.0.1 is no address");
  return address;
}
