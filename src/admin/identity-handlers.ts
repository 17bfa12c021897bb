import { FarmError, Secret } from "../base/index.ts";
import type { IdentityDesk, JoinHandout } from "../identity/index.ts";
import { IDENTITY_ROLES } from "../identity/join-shapes.ts";
import type { Caller } from "./caller.ts";
import type { Handlers } from "./handler-types.ts";

/** What an admin API with an identity works with. */
export interface IdentityAccess {
  readonly desk: IdentityDesk;
  /** What machines that join need to enter the store, as it is now. */
  readonly handout: () => Promise<JoinHandout>;
}

type IdentityHandlers = Pick<
  Handlers,
  "identities.list" | "identities.token" | "identities.join" | "identities.renew" | "identities.revoke"
>;

/** Handlers of who is who; without access each says that the farm has no authority. */
export function createIdentityHandlers(access: IdentityAccess | undefined): IdentityHandlers {
  const desk = (): IdentityDesk => requireAccess(access).desk;
  return {
    "identities.list": async () => ({ identities: await desk().list() }),
    "identities.token": async (input, { caller }) => {
      const { token, ...made } = await desk().makeToken({ ...input, by: caller.name });
      return { ...made, token: token.reveal() };
    },
    "identities.join": async ({ token, request }) => {
      const { desk: at, handout } = requireAccess(access);
      // First what can fail without using the token up.
      const shared = await handout();
      return { ...shared, ...(await at.join(new Secret(token), request)) };
    },
    "identities.renew": ({ request }, { caller }) => desk().renew({ role: memberRole(caller), name: caller.name }, request),
    "identities.revoke": async ({ what, reason = "" }, { caller }) => ({ revoked: await desk().revoke(what, { by: caller.name, reason }) }),
  };
}

function requireAccess(access: IdentityAccess | undefined): IdentityAccess {
  if (access !== undefined) return access;
  throw new FarmError("IDENTITY_AUTHORITY_ABSENT", "this admin API has no identity");
}

/** A token, however mighty, is nobody whose identity could be renewed. @throws IDENTITY_REFUSED */
function memberRole({ role, by, name }: Caller): (typeof IDENTITY_ROLES)[number] {
  const member = IDENTITY_ROLES.find((one) => one === role);
  if (by === "certificate" && member !== undefined) return member;
  throw new FarmError("IDENTITY_REFUSED", `${name} called without an identity of this farm; only an identity is renewed`);
}
