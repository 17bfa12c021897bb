import type { RouteOutput } from "../admin/client.ts";
import type { Secret } from "../base/index.ts";
import type { StoreSettings } from "../store/index.ts";

/** What a process of the farm may be. */
export type IdentityRole = "node" | "balancer" | "admin";

/** What `certfarm init` was told. */
export interface InitArguments {
  readonly store: StoreSettings;
  /** The admin's folder. */
  readonly dir: string;
  /** The first admin's. */
  readonly name: string;
  /** PEM files of an authority that was made elsewhere. */
  readonly certificate?: string;
  readonly key?: string;
  /** Puts another authority in the present one's place, or ends the time in which both are trusted. */
  readonly change?: "replace" | "retire";
  /** With `replace`: without the present admin's signature, so that everybody joins again. */
  readonly rejoin: boolean;
}

/** What became of `certfarm init`. */
export interface InitAnswer {
  readonly kind: "made" | "unchanged" | "replaced" | "retired";
  readonly farmId: string;
  readonly name: string;
  readonly fingerprint: string;
  /** How many authorities are trusted. */
  readonly trusted: number;
}

/** What `certfarm node join` was told. */
export interface JoinArguments {
  readonly url: string;
  readonly token: Secret;
  readonly role: IdentityRole;
  readonly data?: string;
  /** The store, where this machine reaches it elsewhere than the admin. */
  readonly place?: string;
}

/** A machine that joined. */
export interface JoinedAnswer {
  readonly kind: "joined" | "already";
  readonly role: IdentityRole;
  readonly name: string;
  readonly data: string;
  readonly store: string;
}

/** What `certfarm node token` was told, when it makes the token itself. */
export interface TokenArguments {
  readonly store: StoreSettings;
  /** The admin's folder. */
  readonly dir: string;
  readonly role: IdentityRole;
  readonly name: string;
  readonly ttlMs: number;
  readonly by: string;
}

/** What is done with identities in the caller's own process. */
export interface IdentityHost {
  init(given: InitArguments): Promise<InitAnswer>;
  join(given: JoinArguments): Promise<JoinedAnswer>;
  makeToken(given: TokenArguments): Promise<RouteOutput<"identities.token">>;
}
