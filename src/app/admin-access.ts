import { join } from "node:path";

import { createLogIn, createTokens, openToken, writePrivately, type LogIn, type Tokens } from "../admin/index.ts";
import { createAuditTrail, type AuditTrail } from "../audit/index.ts";
import type { Clock, Log } from "../base/index.ts";
import type { Signing } from "../identity/index.ts";
import type { Store } from "../store/index.ts";
import { currentUser } from "./current-user.ts";

/** Who may use the admin API, and what is written of it. */
export interface AdminAccess {
  readonly logIn: LogIn;
  readonly tokens: Tokens;
  readonly audit: AuditTrail;
  readonly tokenFile: string;
}

/** Opens the token file and the audit log; old parts of it are kept in the folder `audit`. @throws ADMIN_FILES_UNUSABLE */
export async function openAccess(parts: {
  readonly state: Store;
  readonly local: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly signing: Signing | undefined;
}): Promise<AdminAccess> {
  const { state, local, clock, log, signing } = parts;
  const tokenFile = join(local, "admin-token");
  const account = currentUser();
  const tokens = createTokens({ state, clock });
  const keep = (name: string, text: string): Promise<void> => writePrivately(join(local, "audit", name), text);
  return {
    tokenFile,
    tokens,
    logIn: createLogIn({ clock, log, local: await openToken(tokenFile), account, tokens }),
    audit: createAuditTrail({ state, clock, log, signing, self: account, keep }),
  };
}
