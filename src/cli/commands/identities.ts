import { InvalidArgumentError, type Command } from "commander";

import { FarmError } from "../../base/index.ts";
import type { Act, Given } from "../act.ts";
import type { IdentityRole } from "../identity-host.ts";
import { examples } from "../options.ts";
import type { Session } from "../session.ts";
import { storeOf, storeOptions } from "../store-options.ts";

const ROLES: readonly IdentityRole[] = ["node", "balancer", "admin"];
const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };
const HOUR = 3_600_000;
const MAX_TTL = 7 * 24 * HOUR;

/** `init`, `identities …`, and what nodes, balancers and admins join and leave a farm with. `node`, `balancer` and `admin` are there already. */
export function addIdentityVerbs(program: Command, act: Act): void {
  addInit(program, act);
  for (const role of ROLES) {
    const parent = program.commands.find((command) => command.name() === role);
    if (parent === undefined) throw new FarmError("INTERNAL", `there is no command ${role}`);
    addToken(parent, role, act);
    addJoin(parent, role, act);
    addRevoke(parent, act, role);
  }
  const identities = program
    .command("identities")
    .summary("who is who in a farm of many machines")
    .description("Identities that the farm's authority signed.");
  const show = identities
    .command("list")
    .summary("every identity and how it stands")
    .description(
      "Shows the certificates that the farm's authority signed for nodes, balancers and admins, and which are revoked or expired.",
    )
    .action(act(async (session) => (await verbs()).listIdentities(session)));
  examples(show, "identities list", "identities list --json");
  addRevoke(identities, act);
  examples(identities, "identities list", "identities revoke balancer/edge1");
}

const verbs = () => import("../verbs/identities.ts");

const text = (given: Given, name: string): string | undefined => {
  const value = given.options[name];
  return typeof value === "string" ? value : undefined;
};

function addInit(program: Command, act: Act): void {
  const init = storeOptions(program.command("init"))
    .summary("make the farm's authority and the first admin")
    .description(
      "Makes the authority that signs the identities of a farm's processes, its record in the store, and the first admin's identity in the folder. Done twice it changes nothing.",
    )
    .argument("[dir]", "the admin's folder; the authority's key never leaves it", "certfarm-admin")
    .option("--name <name>", "name of the first admin", "admin")
    .option("--authority-certificate <file>", "take this authority instead of making one (PEM, self-signed)")
    .option("--authority-key <file>", "its key (PEM, not encrypted)")
    .option("--replace", "put another authority in the present one's place; both are trusted until --retire")
    .option("--rejoin", "with --replace, when no admin identity is left: every process joins again")
    .option("--retire", "trust the present authority alone again")
    .action(act(runInit));
  examples(init, "init /etc/certfarm/admin --store /mnt/farm", "init /etc/certfarm/admin --store /mnt/farm --replace");
}

async function runInit(session: Session, given: Given): Promise<number> {
  const [certificate, key] = [text(given, "authorityCertificate"), text(given, "authorityKey")];
  const { replace, retire, rejoin } = given.options;
  if ((certificate === undefined) !== (key === undefined))
    throw new FarmError("USAGE", "--authority-certificate and --authority-key belong together");
  if (replace === true && retire === true) throw new FarmError("USAGE", "--replace and --retire are two steps, one after the other");
  if (rejoin === true && replace !== true) throw new FarmError("USAGE", "--rejoin belongs to --replace");
  const change = replace === true ? { change: "replace" as const } : retire === true ? { change: "retire" as const } : {};
  return (await verbs()).init(session, {
    store: storeOf(given.options, session.host.environment),
    dir: String(given.arguments[0]),
    name: text(given, "name") ?? "admin",
    rejoin: rejoin === true,
    ...(certificate === undefined ? {} : { certificate }),
    ...(key === undefined ? {} : { key }),
    ...change,
  });
}

function addToken(parent: Command, role: IdentityRole, act: Act): void {
  const token = parent
    .command("token <name>")
    .summary(`a token with which a machine joins as ${role}`)
    .description(
      `Prints a token with which one machine can join the farm under this name, once. It holds the authority's fingerprint, so that the machine tells it to this farm alone. With --admin-folder it is made here, without the admin API.`,
    )
    .option("--ttl <time>", "how long it can be used, e.g. 30m, 1h, 2d", lifetime, HOUR)
    .option("--admin-folder <dir>", "make it here, with the folder of `certfarm init`; needs --store");
  if (role === "node") token.option("--role <role>", "as what the machine joins: node, balancer or admin", role);
  token.action(act(runToken(role)));
  examples(token, `${role} token web1 > token.txt`, `${role} token web1 --ttl 10m`);
}

const runToken =
  (role: IdentityRole) =>
  async (session: Session, given: Given): Promise<number> => {
    const asked = text(given, "role") ?? role;
    const known = ROLES.find((one) => one === asked);
    if (known === undefined) throw new FarmError("USAGE", `--role ${asked}: it is node, balancer or admin`);
    const dir = text(given, "adminFolder");
    const here = dir === undefined ? undefined : { dir, store: storeOf(given.options, session.host.environment) };
    return (await verbs()).makeToken(session, { role: known, name: String(given.arguments[0]), ttlMs: Number(given.options["ttl"]) }, here);
  };

function lifetime(value: string): number {
  const [, count, unit] = /^([1-9]\d{0,4})([mhd])$/.exec(value) ?? [];
  const ms = Number(count) * (UNITS[unit ?? ""] ?? Number.NaN);
  if (!(ms <= MAX_TTL)) throw new InvalidArgumentError("It is a time from 1m to 7d, e.g. 30m, 1h or 2d.");
  return ms;
}

function addJoin(parent: Command, role: IdentityRole, act: Act): void {
  const folder = role === "admin" ? "local" : "data";
  const join = parent
    .command("join <url>")
    .summary(`make this machine ${role === "node" ? "a node" : role === "admin" ? "an admin" : "a balancer"} of a farm`)
    .description(
      "Makes a key on this machine, has it certified by the farm's authority, and writes everything that the process needs into its folder. Ended at any point it can be run again with the same token.",
    )
    .option("--token <token>", "the join token; - reads standard input")
    .option("--token-file <file>", "a file that holds it")
    .action(
      act(async (session, given) => {
        const { join: run } = await verbs();
        const [data, place, token, tokenFile] = [folder, "store", "token", "tokenFile"].map((name) => text(given, name));
        const where = {
          url: String(given.arguments[0]),
          role,
          ...(data === undefined ? {} : { data }),
          ...(place === undefined ? {} : { place }),
        };
        return run(session, where, { ...(token === undefined ? {} : { token }), ...(tokenFile === undefined ? {} : { tokenFile }) });
      }),
    );
  examples(
    join,
    `${role} join https://10.0.0.9:8499 --token-file token.txt --${folder} /var/lib/certfarm`,
    `${role} join https://10.0.0.9:8499 --token - < token.txt`,
  );
}

function addRevoke(parent: Command, act: Act, role?: IdentityRole): void {
  const revoke = parent
    .command("revoke <what...>")
    .summary("refuse an identity from now on")
    .description(
      "Every process refuses the identity from now on: its reports, its calls, its renewal. It goes on serving what it serves. There is no way back but to join again.",
    )
    .option("--reason <text>", "kept with it")
    .action(
      act(async (session, given) => {
        const { revoke: run, revokedName } = await verbs();
        const what = (given.arguments[0] as readonly string[]).map((one) => (role === undefined ? one : revokedName(role, one))); // variadic
        return run(session, what, text(given, "reason"));
      }),
    );
  examples(revoke, `${parent.name()} revoke web1 --reason stolen`, `${parent.name()} revoke 5A1F0C9E2B7D4A6688B1`);
}
