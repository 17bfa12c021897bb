import { createHash, X509Certificate } from "node:crypto";
import { mkdir, open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";

import { FarmError, toFarmError, type Clock, type Log } from "../base/index.ts";
import type { Folder } from "../store/index.ts";

/** The authorities that a site's client certificates are checked by. */
export interface ClientAuthority {
  readonly pem: string;
  /** Digest of the text. */
  readonly digest: string;
}

/** The files `authorities/NAME` of the central certificates, in memory once asked for, with a copy on the node's own disk. */
export interface ClientAuthorities {
  /** What is in memory. */
  known(file: string): ClientAuthority | undefined;
  /** From memory, else from the store, else (store gone) the node's own copy. @throws NODE_CLIENT_CA, STORE_UNAVAILABLE */
  get(file: string): Promise<ClientAuthority>;
  /** Reads those in memory again, of which only `wanted` stay; true when one has another content now. What cannot be read or used is kept as it was. */
  refresh(wanted: ReadonlySet<string>): Promise<boolean>;
}

/** What the authorities work with. */
export interface ClientAuthoritiesParts {
  readonly folder: Folder;
  /** Where the node's own copies are. */
  readonly dir: string;
  readonly clock: Clock;
  readonly log: Log;
}

const MAX_BYTES = 512 * 1024;
/** A file that cannot be used is not read again for every ClientHello. */
const FAULT_MS = 2_000;
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/** No authorities in memory yet. */
export function createClientAuthorities(parts: ClientAuthoritiesParts): ClientAuthorities {
  const { folder, dir, clock, log } = parts;
  const memory = new Map<string, ClientAuthority>();
  const faults = new Map<string, { readonly error: unknown; readonly untilMs: number }>();

  const read = async (file: string): Promise<ClientAuthority> => {
    const found = await folder.read(`authorities/${file}`, { maxBytes: MAX_BYTES });
    if (found === undefined) throw new FarmError("NODE_CLIENT_CA", `certificates/authorities/${file} does not exist`, { facts: { file } });
    return checked(file, Buffer.from(found.bytes).toString("latin1"));
  };

  const take = async (file: string): Promise<ClientAuthority> => {
    const authority = await read(file).catch(async (error: unknown) => {
      if (toFarmError(error).code !== "STORE_UNAVAILABLE") throw error;
      const copy = await readFile(copyOf(dir, file), "latin1").catch(() => undefined);
      if (copy === undefined) throw error;
      return checked(file, copy);
    });
    if (memory.get(file)?.digest !== authority.digest) {
      await saveCopy(dir, file, authority.pem).catch((error: unknown) =>
        log.error("the node's disk cannot be written", { what: `the copy of authorities/${file}`, problem: toFarmError(error).message }),
      );
    }
    memory.set(file, authority);
    return authority;
  };

  return {
    known: (file) => memory.get(file),
    async get(file) {
      const known = memory.get(file);
      if (known !== undefined) return known;
      const fault = faults.get(file);
      if (fault !== undefined && clock.monotonicMs() < fault.untilMs) throw fault.error;
      try {
        return await take(file);
      } catch (error) {
        faults.set(file, { error, untilMs: clock.monotonicMs() + FAULT_MS });
        throw error;
      }
    },
    async refresh(wanted) {
      faults.clear();
      let changed = false;
      for (const [file, before] of memory) {
        if (!wanted.has(file)) {
          memory.delete(file);
          continue;
        }
        // One that cannot be read now is kept: its last good content goes on being enforced.
        const after = await take(file).catch(() => before);
        changed ||= after.digest !== before.digest;
      }
      return changed;
    },
  };
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("base64url");

/** A name of its own making: what farm.yaml calls the file never becomes a path here. */
const copyOf = (dir: string, file: string): string => join(dir, `${sha256(file)}.pem`);

async function saveCopy(dir: string, file: string, pem: string): Promise<void> {
  const path = copyOf(dir, file);
  const temporary = `${path}.${process.pid}.tmp`;
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const handle = await open(temporary, "w", 0o600);
  try {
    await handle.writeFile(pem, "latin1");
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, path);
}

/** A CA file holds at least one certificate, and every one must parse: a torn file is never enforced in part. */
function checked(file: string, pem: string): ClientAuthority {
  let count = 0;
  try {
    for (const certificate of pem.match(CERTIFICATE) ?? []) count += new X509Certificate(certificate).raw.length > 0 ? 1 : 0;
  } catch (error) {
    throw new FarmError("NODE_CLIENT_CA", `certificates/authorities/${file} holds a damaged certificate`, {
      cause: error,
      facts: { file },
    });
  }
  if (count === 0) throw new FarmError("NODE_CLIENT_CA", `certificates/authorities/${file} holds no PEM certificate`, { facts: { file } });
  return { pem, digest: sha256(pem) };
}
