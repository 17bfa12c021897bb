import type { RouteInput } from "../../admin/client.ts";
import type { ExitCode, Session } from "../session.ts";
import { formatTable } from "../table.ts";
import { clean, formatTime } from "../text.ts";

/** `certfarm token add`: the token alone goes to standard output. */
export async function addToken(session: Session, name: string, options: Omit<RouteInput<"token.add">, "name">): Promise<ExitCode> {
  const client = await session.farm();
  const made = await client.call("token.add", { name, ...options });
  if (session.json) {
    session.printJson(made);
    return 0;
  }
  session.print(made.token);
  const until = made.expiresAt === undefined ? "until it is revoked" : `until ${formatTime(made.expiresAt)}`;
  session.host.err.write(
    `${session.paint("green", "✓")} ${clean(made.name)} is ${made.role} ${until}. This is the only time that the token is told: keep it in a file, for --token-file.\n`,
  );
  return 0;
}

/** `certfarm token list`. */
export async function listTokens(session: Session): Promise<ExitCode> {
  const client = await session.farm();
  const { tokens } = await client.call("token.list", {});
  if (session.json) session.printJson(tokens);
  else if (tokens.length === 0) session.print("There is no token but the admin API's own token file.");
  else {
    const rows = tokens.map(({ name, role, id, by, at, expiresAt }) => [
      clean(name),
      role,
      id,
      clean(by),
      formatTime(at),
      expiresAt === undefined ? "never" : `${formatTime(expiresAt)}${expiresAt <= Date.now() ? " (over)" : ""}`,
    ]);
    session.print(formatTable(["NAME", "ROLE", "ID", "MADE BY", "MADE", "EXPIRES"], rows, session));
  }
  return 0;
}

/** `certfarm token revoke`. */
export async function revokeToken(session: Session, which: string): Promise<ExitCode> {
  const client = await session.farm();
  const gone = await client.call("token.revoke", { which });
  if (session.json) session.printJson(gone);
  else session.print(`${session.paint("green", "✓")} the token ${clean(gone.name)} (${gone.role}) is taken no more`);
  return 0;
}
