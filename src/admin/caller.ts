import { FarmError } from "../base/index.ts";
import type { Route } from "./route.ts";

/** What a caller may be. `node` and `balancer` are processes of the farm; `newcomer` has shown nothing yet. */
export type CallerRole = "viewer" | "operator" | "admin" | "node" | "balancer" | "newcomer";

/** Who calls, and how that is known. */
export interface Caller {
  /** Of a token or of an identity; for the token file of this machine, the account that the admin API runs as. */
  readonly name: string;
  readonly role: CallerRole;
  /** `local`: by the token file, which only the admin API's own account can read, or in this process. */
  readonly by: "token" | "certificate" | "local" | "nothing";
}

/**
 * Which callers each role of a route lets in. Reading is for viewers; draining, repairing, applying and certificates for operators; tokens,
 * identities, secrets and drills for admins. `member` is any process of the farm with an identity, `newcomer` is whoever holds a join token.
 */
const LETS_IN = {
  viewer: ["viewer", "operator", "admin"],
  operator: ["operator", "admin"],
  admin: ["admin"],
  member: ["node", "balancer", "admin"],
  newcomer: ["viewer", "operator", "admin", "node", "balancer", "newcomer"],
} as const satisfies Record<Route["role"], readonly CallerRole[]>;

/** Of a request that carries nothing to log in with. */
export const notLoggedIn = (): FarmError =>
  new FarmError("ADMIN_UNAUTHORIZED", "the request carries neither a token nor a certificate of the farm");

/** @throws ADMIN_UNAUTHORIZED for a caller that has shown nothing, ADMIN_FORBIDDEN for one whose role is too little */
export function requireRole({ role, method, path }: Pick<Route, "role" | "method" | "path">, caller: Caller): void {
  if (LETS_IN[role].some((one) => one === caller.role)) return;
  if (caller.role === "newcomer") throw notLoggedIn();
  throw new FarmError("ADMIN_FORBIDDEN", `${caller.name} is ${caller.role}, and ${method} ${path} is for ${LETS_IN[role].join(", ")}`, {
    facts: { caller: caller.name, role: caller.role, needed: role },
  });
}
