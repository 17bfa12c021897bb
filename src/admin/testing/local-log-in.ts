import { silentLog, systemClock, type Secret } from "../../base/index.ts";
import { createMemoryStore } from "../../store/index.ts";
import { createLogIn, type LogIn } from "../log-in.ts";
import { createTokens } from "../tokens.ts";

/** Log-ins by one token file, in a farm without other tokens. */
export function localLogIn(local: Secret): LogIn {
  const tokens = createTokens({ state: createMemoryStore().state, clock: systemClock });
  return createLogIn({ clock: systemClock, log: silentLog, local, account: "tester@here", tokens });
}
