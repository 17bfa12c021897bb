import type { IdentityAccess } from "../admin/index.ts";
import { FarmError, systemClock, toFarmError, type Log } from "../base/index.ts";
import {
  askRenewal,
  createIdentityDesk,
  openAuthority,
  openIdentityKeeper,
  readHandout,
  readJoinFile,
  requireOwnAuthority,
  type IdentityKeeper,
  type IdentityRole,
} from "../identity/index.ts";
import type { FarmStore, StoreSettings } from "../store/index.ts";

const clock = systemClock;

/** Where a process keeps its identity, and what it is kept with. */
export interface ProcessIdentity {
  /** The process's own folder. */
  readonly data: string;
  readonly store: FarmStore;
  readonly log: Log;
}

/**
 * The identity of a process that joined; undefined = it did not. The admin API that it joined at renews it.
 * @throws IDENTITY_FOLDER_UNUSABLE, and IDENTITY_REFUSED when the folder is somebody else's
 */
export async function openProcessIdentity(
  { data, store, log }: ProcessIdentity,
  expected: { readonly role: IdentityRole; readonly name?: string },
): Promise<IdentityKeeper | undefined> {
  const urls = (await readJoinFile(data))?.admin ?? [];
  const keeper = await openIdentityKeeper({ dataDir: data, state: store.state, clock, log, ask: askRenewal({ urls, clock }) });
  const { role, name } = keeper?.identity() ?? expected;
  if (role === expected.role && (expected.name === undefined || name === expected.name)) return keeper;
  await keeper?.close();
  throw new FarmError(
    "IDENTITY_REFUSED",
    `${data} holds the identity of ${role} ${name ?? ""}, and ${expected.role} ${expected.name ?? ""} was to be started`,
  );
}

/** What an admin API is, and what it can do for others. */
export interface AdminIdentity {
  readonly keeper: IdentityKeeper;
  readonly access: IdentityAccess;
}

/**
 * The identity of an admin API, with the authority when its folder has the key: it then certifies others, and itself.
 * @throws IDENTITY_FOLDER_UNUSABLE, IDENTITY_AUTHORITY_OTHER, IDENTITY_AUTHORITY_UNSUITABLE, the store's errors
 */
export async function openAdminIdentity(
  { data, store, log }: ProcessIdentity,
  shared: { readonly settings: StoreSettings; readonly farmKeyFile: string | undefined },
): Promise<AdminIdentity | undefined> {
  const { state } = store;
  const authority = await openAuthority(data, clock.now());
  if (authority === undefined) {
    const keeper = await openProcessIdentity({ data, store, log }, { role: "admin" });
    return keeper === undefined ? undefined : { keeper, access: accessOf(createIdentityDesk({ state, clock, signing: keeper }), shared) };
  }
  await requireOwnAuthority(state, authority).catch((error: unknown) => {
    // A store that cannot be reached is no reason not to start: what is wrong with it is told elsewhere.
    if (!toFarmError(error).code.startsWith("STORE_")) throw error;
  });
  const keeper = await openIdentityKeeper({
    dataDir: data,
    state,
    clock,
    log,
    ask: (as, requestPem) => createIdentityDesk({ state, clock, signing: as, authority }).renew(as.identity(), requestPem),
  });
  if (keeper === undefined) return undefined;
  return { keeper, access: accessOf(createIdentityDesk({ state, clock, signing: keeper, authority }), shared) };
}

const accessOf = (desk: IdentityAccess["desk"], { settings, farmKeyFile }: Parameters<typeof openAdminIdentity>[1]): IdentityAccess => ({
  desk,
  handout: () => readHandout(settings, farmKeyFile),
});
