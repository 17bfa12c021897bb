import { InvalidArgumentError, type Command } from "commander";

import type { Act, Given } from "../act.ts";
import { examples, whole } from "../options.ts";

const verbs = () => import("../verbs/access.ts");
const audits = () => import("../verbs/audit.ts");

/** `token …`, `audit …`. */
export function addAccessVerbs(program: Command, act: Act): void {
  addTokens(program, act);
  addAudit(program, act);
}

function addTokens(program: Command, act: Act): void {
  const token = program
    .command("token")
    .summary("who may use the admin API")
    .description(
      "Tokens for the admin API: a viewer reads; an operator drains, repairs, applies and adds certificates; an admin does everything.",
    );
  const add = token
    .command("add <name>")
    .summary("make a token")
    .description("Makes a token and prints it, this once: the farm keeps a digest of it only.");
  add
    .addOption(add.createOption("--role <role>", "what its holder may do").choices(["viewer", "operator", "admin"]).makeOptionMandatory())
    .option("--ttl <time>", "how long it is good for, e.g. 12h, 30d (default: until it is revoked)", lifetime)
    .action(act(async (session, given) => (await verbs()).addToken(session, String(given.arguments[0]), optionsOf(given))));
  examples(add, "token add ci --role viewer --ttl 30d > token.txt", "token add ann --role operator");
  const list = token
    .command("list")
    .summary("which tokens there are")
    .description("Lists the tokens with their roles and times; what proves them is known to their holders alone.")
    .action(act(async (session) => (await verbs()).listTokens(session)));
  examples(list, "token list", "token list --json");
  const revoke = token
    .command("revoke <name>")
    .summary("end a token")
    .description("Ends the token of this name or id.")
    .action(act(async (session, { arguments: [name] }) => (await verbs()).revokeToken(session, String(name))));
  examples(revoke, "token revoke ci");
  examples(token, "token add ci --role viewer --ttl 30d", "token list", "token revoke ci");
}

function addAudit(program: Command, act: Act): void {
  const audit = program
    .command("audit")
    .summary("who changed what, and when")
    .description("Shows the newest entries of the audit log: every change of the farm, by whom, and how it ended.")
    .option("-f, --follow", "go on with those that come, until Ctrl-C")
    .option("--limit <count>", "at most so many", whole(1, 1_000), 50)
    .action(act(async (session, { options }) => (await audits()).showAudit(session, options)));
  examples(audit, "audit", "audit --follow", "audit verify", "audit export audit.jsonl");
  const verify = audit
    .command("verify [file...]")
    .summary("whether the log is whole")
    .description(
      "Verifies the log from its first entry to its last, or exported files of it, and names the first entry that is not as it was written. Exits with 1 when it is broken. Note the end that it prints outside of the farm: with --pin it proves later that nothing before it was changed or cut off.",
    )
    .option("--pin <seq:digest>", "an end of the log that was noted: it must still be there")
    .action(act(async (session, given) => (await audits()).verifyAudit(session, filesOf(given), pinOf(given))));
  examples(
    verify,
    "audit verify",
    "audit verify --pin 214:3f0c…",
    "audit verify local/audit/*.jsonl audit.jsonl --authority authority.pem",
  );
  const exported = audit
    .command("export <file>")
    .summary("write the log to a file")
    .description("Writes every entry that the store holds as JSON lines, with what digests and signatures are of. - = standard output.")
    .action(act(async (session, { arguments: [file] }) => (await audits()).exportAudit(session, String(file))));
  examples(exported, "audit export audit.jsonl", "audit export - | gzip > audit.jsonl.gz");
}

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };
const MOST_DAYS = 3_650;

function lifetime(text: string): number {
  const [, many, unit = ""] = /^([1-9]\d{0,5})([mhd])$/.exec(text) ?? [];
  const ms = Number(many) * (UNITS[unit] ?? Number.NaN);
  if (!(ms <= MOST_DAYS * (UNITS["d"] ?? 0))) throw new InvalidArgumentError("It is a time from 1m to 3650d, e.g. 30m, 12h or 90d.");
  return ms;
}

function optionsOf({ options }: Given): { role: "viewer" | "operator" | "admin"; ttlMs?: number } {
  const { role, ttl } = options;
  // One of the choices above.
  return { role: role as "viewer" | "operator" | "admin", ...(typeof ttl === "number" ? { ttlMs: ttl } : {}) };
}

const filesOf = ({ arguments: [files] }: Given): readonly string[] => (Array.isArray(files) ? files.map(String) : []);

const pinOf = ({ options: { pin } }: Given): string | undefined => (typeof pin === "string" ? pin : undefined);
