import { join } from "node:path";

import { toFarmError, type Log } from "../base/index.ts";
import type { Store } from "../store/index.ts";
import { readPrivateFile, savePrivateFile, unusable } from "./private-folder.ts";
import { readTrust, TRUST_PREFIX, type TrustNews } from "./trust-records.ts";
import type { IdentityTrust } from "./types.ts";
import { splitAuthorities } from "./verify-identity.ts";

/** What a process keeps of what it learned: it never goes back behind it, whatever the store says later. */
interface Memory {
  readonly generation: number;
  readonly revoked: readonly string[];
}

/** What a follower works with. */
export interface TrustFollowerParts {
  readonly dataDir: string;
  readonly state: Store;
  readonly log: Log;
  /** What is trusted now, without revocations. */
  readonly trust: () => Omit<IdentityTrust, "revoked">;
  /** Called with authorities that an admin under the present ones signed; resolves when they are kept. */
  readonly adopt: (authorityPem: string) => Promise<void>;
  readonly changed: () => void;
}

/** The serials that are revoked and the authorities that are trusted, as admins have signed them into the store. */
export interface TrustFollower {
  readonly revoked: ReadonlySet<string>;
  /** Looks at the store now. Never rejects. */
  look(): Promise<void>;
  /** Looks after every change until the signal aborts. Never rejects. */
  follow(signal: AbortSignal): Promise<void>;
}

const pemOf = (pem: string): string => splitAuthorities(pem).map(String).join("");

const RETRY_MS = 5_000;
/** Signed records only get in here; this bounds what a stolen admin could do to a process's memory. */
const MAX_REVOKED = 100_000;

/** Starts with what the process's folder remembers. @throws IDENTITY_FOLDER_UNUSABLE */
export async function openTrustFollower(parts: TrustFollowerParts): Promise<TrustFollower> {
  const { dataDir, state, log, trust } = parts;
  const file = join(dataDir, "trust.json");
  const memory = await readMemory(file);
  const revoked = new Set(memory.revoked);
  let generation = memory.generation;
  const told = new Set<string>();
  let looking: Promise<void> = Promise.resolve();

  function tellOnce(key: string, problem: string): void {
    if (told.size > MAX_REVOKED || told.has(`${key} ${problem}`)) return;
    told.add(`${key} ${problem}`);
    log.warn("a record of whom the farm trusts is not believed", { key, problem });
  }

  /** Whether anything changed by it. */
  async function learn(item: TrustNews): Promise<boolean> {
    if (item.kind === "refused") tellOnce(item.key, item.problem);
    if (item.kind === "authority" && item.generation > generation) {
      const isNew = pemOf(item.authorityPem) !== pemOf(trust().authorityPem);
      if (isNew) await parts.adopt(item.authorityPem);
      generation = item.generation;
      if (isNew) log.info("the farm's authorities changed", { generation });
      return isNew;
    }
    if (item.kind !== "revocation" || revoked.has(item.serial) || revoked.size >= MAX_REVOKED) return false;
    revoked.add(item.serial);
    log.info("an identity was revoked", { serial: item.serial, who: item.who, by: item.by });
    return true;
  }

  async function lookOnce(): Promise<void> {
    const before = generation;
    let isChanged = false;
    for (const item of await readTrust(state, { ...trust(), revoked })) isChanged = (await learn(item)) || isChanged;
    if (isChanged) parts.changed();
    if (isChanged || generation !== before) {
      await savePrivateFile(file, JSON.stringify({ generation, revoked: [...revoked] } satisfies Memory));
    }
  }

  const look = (): Promise<void> => {
    looking = looking.then(lookOnce).catch((error: unknown) => tellOnce(TRUST_PREFIX, toFarmError(error).message));
    return looking;
  };

  return {
    revoked,
    look,
    async follow(signal) {
      while (!signal.aborted) {
        try {
          for await (const _change of state.watch(TRUST_PREFIX, { signal })) await look();
        } catch (error) {
          if (!signal.aborted) log.debug("whom the farm trusts cannot be followed now", { problem: toFarmError(error).message });
        }
        await pause(RETRY_MS, signal);
      }
    },
  };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    timer.unref();
    signal.addEventListener("abort", done, { once: true });
    if (signal.aborted) done();
  });
}

async function readMemory(file: string): Promise<Memory> {
  const text = await readPrivateFile(file);
  if (text === undefined) return { generation: 0, revoked: [] };
  try {
    const { generation, revoked } = JSON.parse(text) as Partial<Record<keyof Memory, unknown>>; // looked at below
    if (typeof generation === "number" && Array.isArray(revoked)) return { generation, revoked: revoked.map(String) };
  } catch {
    // told below
  }
  throw unusable(file, "it is damaged; remove it when the store can be reached: it is made anew");
}
