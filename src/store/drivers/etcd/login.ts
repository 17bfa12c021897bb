import type { Secret } from "../../../base/index.ts";
import type { Verdict } from "./verdict.ts";

/** A name and a password for etcd. */
export interface EtcdUser {
  readonly name: string;
  readonly password: Secret;
}

/** The token of one handle. It is asked for once for all calls that need it. */
export interface Login {
  /** The present token, or why there is none; undefined = this handle has no user. */
  token(): Promise<string | undefined | Exclude<Verdict, { kind: "done" }>>;
  /** Forgets a token that was refused, unless it was replaced meanwhile. */
  forget(token: string | undefined): void;
  /** Forgets whichever token there is. */
  drop(): void;
}

/** A login through `post`, which sends one request to a member that answers. */
export function createLogin(user: EtcdUser | undefined, post: (path: string, body: unknown) => Promise<Verdict>): Login {
  let known: string | undefined;
  let asking: ReturnType<Login["token"]> | undefined;

  async function ask({ name, password }: EtcdUser): ReturnType<Login["token"]> {
    const verdict = await post("/v3/auth/authenticate", { name, password: password.reveal() });
    if (verdict.kind !== "done") return verdict;
    const { token } = verdict.json;
    if (typeof token !== "string" || token === "") return { kind: "not-done", problem: "etcd gave no token", untrusted: false };
    known = token;
    return token;
  }
  return {
    async token() {
      if (user === undefined || known !== undefined) return known;
      asking ??= ask(user).finally(() => (asking = undefined));
      return asking;
    },
    forget(token) {
      if (known === token) known = undefined;
    },
    drop() {
      known = undefined;
    },
  };
}
