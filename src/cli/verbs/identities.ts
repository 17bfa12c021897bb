import type { RouteOutput } from "../../admin/client.ts";
import { FarmError, Secret } from "../../base/index.ts";
import { readInputFile } from "../files.ts";
import type { IdentityRole, InitArguments, JoinArguments, TokenArguments } from "../identity-host.ts";
import type { ExitCode, Session } from "../session.ts";
import { formatTable } from "../table.ts";
import { clean, formatTime } from "../text.ts";

const MAX_TOKEN_BYTES = 4_096;

const INIT_WORDS = {
  made: "the farm has its authority",
  unchanged: "nothing was changed: the farm had this authority already",
  replaced: "the farm has a new authority",
  retired: "the former authority is trusted no longer",
} as const;

/** `certfarm init`. */
export async function init(session: Session, given: InitArguments): Promise<ExitCode> {
  const made = await (await session.host.identities()).init(given);
  if (session.json) {
    session.printJson(made);
    return 0;
  }
  const { kind, farmId, name, fingerprint, trusted } = made;
  session.print(`${session.symbols.good} ${INIT_WORDS[kind]}`);
  session.print(`farm ${farmId}, admin ${clean(name)}\nauthority SHA-256 ${fingerprint}`);
  session.print(trusted > 1 ? overlapSteps(given) : nextSteps(given));
  return 0;
}

const nextSteps = ({ dir, store }: InitArguments): string =>
  [
    "",
    `Keep ${clean(dir)}/authority/key.pem: who has it can make any identity of this farm. Next:`,
    `  certfarm admin --store ${clean(store.place)} --local ${clean(dir)} --admin-listen 0.0.0.0:8499`,
    `  certfarm node token web1 --admin-folder ${clean(dir)} --store ${clean(store.place)} > token.txt`,
    `  certfarm node join https://THIS-MACHINE:8499 --token-file token.txt     (on the other machine)`,
  ].join("\n");

const overlapSteps = ({ dir, store }: InitArguments): string =>
  [
    "",
    "Both authorities are trusted, and every process asks for a certificate of the new one. Restart the admin API of this folder; then",
    "look at `certfarm identities list`, and when all are renewed:",
    `  certfarm init ${clean(dir)} --store ${clean(store.place)} --retire`,
  ].join("\n");

/** `certfarm node token NAME`: by the admin API, or here with the authority's folder. */
export async function makeToken(
  session: Session,
  { role, name, ttlMs }: Pick<TokenArguments, "role" | "name" | "ttlMs">,
  here: Pick<TokenArguments, "store" | "dir"> | undefined,
): Promise<ExitCode> {
  const made =
    here === undefined
      ? await (await session.farm()).call("identities.token", { role, name, ttlMs })
      : await (await session.host.identities()).makeToken({ ...here, role, name, ttlMs, by: session.host.user });
  if (session.json) {
    session.printJson(made);
    return 0;
  }
  // The token alone on standard output: `> token.txt`.
  session.print(made.token);
  session.host.err.write(`For ${role} ${clean(name)}, once, until ${formatTime(made.expiresAt)}:\n`);
  session.host.err.write(`  certfarm ${role} join https://ADMIN:8499 --token-file token.txt\n`);
  if (made.already.length > 0) {
    session.host.err.write(
      `${role} ${clean(name)} has a good identity already; if that machine is gone, revoke it: certfarm ${role} revoke ${made.already.join(" ")}\n`,
    );
  }
  return 0;
}

/** How the joining machine is given its token. */
export interface TokenOptions {
  readonly token?: string;
  readonly tokenFile?: string;
}

/** `certfarm node|balancer|admin join URL`. */
export async function join(session: Session, given: Omit<JoinArguments, "token">, options: TokenOptions): Promise<ExitCode> {
  const token = await readToken(options);
  const joined = await (await session.host.identities()).join({ ...given, token });
  if (session.json) session.printJson(joined);
  else {
    const { kind, role, name, data, store } = joined;
    const word = kind === "joined" ? "joined the farm" : "had joined already; nothing was changed";
    session.print(`${session.symbols.good} ${role} ${clean(name)} ${word}. The store is ${clean(store)}. Start it:`);
    session.print(
      role === "admin" ? `  certfarm admin --store ${clean(store)} --local ${clean(data)}` : `  certfarm ${role} --data ${clean(data)}`,
    );
  }
  return 0;
}

/** @throws USAGE, INPUT_FILE_UNUSABLE */
async function readToken({ token, tokenFile }: TokenOptions): Promise<Secret> {
  if ((token === undefined) === (tokenFile === undefined)) {
    throw new FarmError(
      "USAGE",
      "give the join token with --token-file FILE (kept out of the list of processes), --token - (standard input) or --token TOKEN",
    );
  }
  if (tokenFile !== undefined) return new Secret((await readInputFile(tokenFile, MAX_TOKEN_BYTES)).trim());
  return new Secret((token === "-" ? await readInputFile("-", MAX_TOKEN_BYTES) : (token ?? "")).trim());
}

type Listed = RouteOutput<"identities.list">["identities"];

/** `certfarm identities list`. */
export async function listIdentities(session: Session): Promise<ExitCode> {
  const { identities } = await (await session.farm()).call("identities.list", {});
  if (session.json) session.printJson({ identities });
  else if (identities.length === 0) session.print("No identity was issued yet.");
  else session.print(tableOf(session, identities));
  return 0;
}

function tableOf(session: Session, identities: Listed): string {
  const rows = identities.map(({ role, name, state, notAfter, serial, by }) => [
    role,
    clean(name),
    state === "good" ? state : session.paint("red", state),
    formatTime(notAfter),
    serial,
    clean(by),
  ]);
  return formatTable(["ROLE", "NAME", "STATE", "UNTIL", "SERIAL", "BY"], rows, session);
}

/** `certfarm identities revoke WHAT…`. */
export async function revoke(session: Session, what: readonly string[], reason: string | undefined): Promise<ExitCode> {
  const farm = await session.farm();
  const revoked: Listed[number][] = [];
  for (const one of what) {
    const answer = await farm.call("identities.revoke", { what: one, ...(reason === undefined ? {} : { reason }) });
    revoked.push(...answer.revoked);
  }
  if (session.json) session.printJson({ revoked });
  else
    for (const { role, name, serial } of revoked)
      session.print(`${session.symbols.good} ${role} ${clean(name)} (${serial}) is refused by every process from now on`);
  return 0;
}

/** As what a name is looked up: `node revoke web1` means no balancer of that name. */
export const revokedName = (role: IdentityRole, what: string): string =>
  /^[0-9A-Fa-f]{16,}$/.test(what) || what.includes("/") ? what : `${role}/${what}`;
