import type { AuditTrail } from "../audit/index.ts";
import { systemClock, type Log } from "../base/index.ts";
import type { PasswordSource } from "../certificates/index.ts";
import { openIdentity, type IdentityDesk, type Signing } from "../identity/index.ts";
import { createDuties, signFarm } from "../replica/index.ts";
import type { FarmStore } from "../store/index.ts";
import { currentUser } from "./current-user.ts";
import { createSavedFileJudge } from "./saved-file-judge.ts";

/** An admin's process that signs for its farm. */
export interface SigningAdmin {
  readonly store: FarmStore;
  readonly signing: Signing;
  readonly log: Log;
}

const clock = systemClock;

/**
 * Does the farm's common duties whenever this admin has them, until the signal aborts: what they write must be signed, and nodes sign nothing but
 * their answers. Never rejects.
 */
export async function doAdminDuties(
  {
    store,
    signing,
    log,
    passwords,
    audit,
  }: SigningAdmin & { readonly passwords: PasswordSource; readonly audit: Pick<AuditTrail, "note"> },
  signal: AbortSignal,
): Promise<void> {
  const { name } = signing.identity();
  const judge = createSavedFileJudge({ name, role: "admin", store, passwords, clock, log, signing, audit });
  await createDuties({ store, node: name, signing, judge, log, clock }).run(signal);
}

/** The desk, but before an admin is revoked this one signs anew what that one may have signed: nodes would not believe it any longer. */
export function signBeforeRevoking(desk: IdentityDesk, admin: SigningAdmin): IdentityDesk {
  const isMeant = (what: string, { role, name, serial }: { role: string; name: string; serial: string }): boolean =>
    role === "admin" && [name, `${role}/${name}`, serial].includes(what);
  return {
    ...desk,
    async revoke(what, why) {
      const meant = (await desk.list()).filter((one) => one.state === "good" && isMeant(what, one));
      if (meant.length > 0) await signFarm({ ...admin, clock, by: currentUser(), when: "anew" });
      return desk.revoke(what, why);
    },
  };
}

/** Signs the farm's state by the admin identity in a folder; doing it again does no harm. @throws the store's errors */
export async function signByFolder(
  dir: string,
  { store, log, when }: Omit<SigningAdmin, "signing"> & { readonly when: "first" | "anew" },
): Promise<void> {
  const identity = await openIdentity(dir);
  if (identity === undefined) return;
  const signing: Signing = { identity: () => identity, revoked: new Set() };
  await signFarm({ store, signing, clock, log, by: currentUser(), when });
}
