import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { instant, silentLog, type Clock, type Instant } from "../../base/index.ts";
import { createMemoryStore, type Store } from "../../store/index.ts";
import { openAuthority } from "../authority-folder.ts";
import { createIdentityDesk, type IdentityDesk } from "../identity-desk.ts";
import { openIdentityKeeper, type AskAuthority, type IdentityKeeper } from "../identity-keeper.ts";
import { initAuthority, type InitRequest } from "../init-authority.ts";

export const DAY = 24 * 3_600_000;

/** A clock that tests set; both of its times go together. */
export interface TestClock extends Clock {
  pass(ms: number): void;
}

export function testClock(start: Instant = instant(Date.parse("2026-06-15T12:00:00Z"))): TestClock {
  let passed = 0;
  return {
    now: () => instant(start + passed),
    monotonicMs: () => passed,
    pass: (ms) => void (passed += ms),
  };
}

/** A farm with an authority, a memory store and folders that are removed by `close`. */
export interface TestFarm {
  readonly root: string;
  readonly state: Store;
  readonly clock: TestClock;
  readonly admin: IdentityKeeper;
  readonly desk: IdentityDesk;
  /** What `certfarm init` is told for the folder of that name. */
  request(folder?: string): InitRequest;
  /** The keeper of a folder below the root; closed with the farm. */
  keep(folder: string, ask?: AskAuthority): Promise<IdentityKeeper>;
  /** The desk of the admin's folder, as it is now. */
  newDesk(): Promise<IdentityDesk>;
  close(): Promise<void>;
}

export async function makeTestFarm(clock: TestClock = testClock()): Promise<TestFarm> {
  const root = await mkdtemp(join(tmpdir(), "certfarm-identity-"));
  const store = createMemoryStore();
  const { state } = store;
  const keepers: IdentityKeeper[] = [];
  const request = (folder = "admin"): InitRequest => ({ dir: join(root, folder), state, clock, name: "ops" });
  const keep = async (folder: string, ask?: AskAuthority): Promise<IdentityKeeper> => {
    const keeper = await openIdentityKeeper({
      dataDir: join(root, folder),
      state,
      clock,
      log: silentLog,
      ...(ask === undefined ? {} : { ask }),
    });
    if (keeper === undefined) throw new Error(`${folder} holds no identity`);
    keepers.push(keeper);
    return keeper;
  };
  await initAuthority(request());
  const admin = await keep("admin");
  const newDesk = async (): Promise<IdentityDesk> => {
    const authority = await openAuthority(join(root, "admin"), clock.now());
    return createIdentityDesk({ state, clock, signing: admin, ...(authority === undefined ? {} : { authority }) });
  };
  return {
    root,
    state,
    clock,
    admin,
    desk: await newDesk(),
    request,
    keep,
    newDesk,
    async close() {
      for (const keeper of keepers) await keeper.close();
      await store.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}
