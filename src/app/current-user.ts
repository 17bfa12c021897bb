import { hostname, userInfo } from "node:os";

/** `user@machine`, for the history of revisions. An account without a name is told by its number. */
export function currentUser(): string {
  return `${accountName()}@${hostname()}`.slice(0, 200);
}

function accountName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? "unknown"}`;
  }
}
