import type { Command } from "commander";

import type { Act } from "../act.ts";
import { examples } from "../options.ts";
import { addPassword, listPasswords, newFarmKey, removePassword, rotateSecrets, secretsStatus } from "../verbs/secrets.ts";

/** `secrets …`. */
export function addSecretVerbs(program: Command, act: Act): void {
  const secrets = program
    .command("secrets")
    .summary("the keys that the farm's secrets are sealed under")
    .description(
      "The farm key and the data keys that certificates, ticket keys and passwords are sealed under in the store (docs/secrets.md).",
    );
  const make = secrets
    .command("new-key <file>")
    .summary("make a farm key; needs no farm")
    .description("Writes a new farm key to a file that must not exist, with mode 0600. Needs no farm.")
    .action(act((session, { arguments: [file] }) => newFarmKey(session, String(file))));
  examples(make, "secrets new-key /etc/certfarm/farm-key");
  const status = secrets
    .command("status")
    .summary("the farm's keys, and which nodes have which")
    .description(
      "Shows the farm's keys by id and age, and which farm key each node told of; never a key. Exits with 1 when something has to be done.",
    )
    .action(act((session) => secretsStatus(session)));
  examples(status, "secrets status", "secrets status --json");
  const rotate = secrets
    .command("rotate")
    .summary("new keys, while the farm runs")
    .description(
      "Makes a new data key, seals everything anew under it and drops the former one; run it again after a crash. " +
        "With --farm-key-file the data keys are wrapped under a new farm key instead. Exits with 1 when something is left to do.",
    )
    .option("--farm-key-file <file>", "the new farm key: both it and the former one open the farm's secrets from then on")
    .option("--drop-former-key", "take the former farm key away, once every node has the new one")
    .option("--force", "with --drop-former-key: although nodes did not tell of the new one")
    .option("--seal-files", "seal certificate files too that are in the clear in a directory store")
    .action(act((session, { options }) => rotateSecrets(session, options)));
  examples(rotate, "secrets rotate", "secrets rotate --farm-key-file new-farm-key", "secrets rotate --drop-former-key");
  addPasswordVerbs(secrets, act);
  examples(secrets, "secrets new-key farm-key", "secrets status", "secrets rotate");
}

function addPasswordVerbs(secrets: Command, act: Act): void {
  const password = secrets
    .command("password")
    .summary("passwords of certificate files that the farm keeps")
    .description("Passwords of certificate files, kept sealed in the store for every node, beside each node's own password file.");
  const add = password
    .command("add")
    .summary("keep a password")
    .description("Keeps the first line of a file as a password of certificate files, sealed.")
    .requiredOption("--password-file <file>", "a file whose first line is the password; - = standard input")
    .option("--files <pattern>", "for files of this name or pattern only, e.g. '*.example.com.pfx'")
    .action(act((session, { options }) => addPassword(session, options as unknown as Parameters<typeof addPassword>[1]))); // required above
  examples(add, "secrets password add --password-file password.txt", "secrets password add --password-file - --files 'shop.*'");
  const list = password
    .command("list")
    .summary("which passwords are kept")
    .description("Shows which passwords are kept, for which files; never a password.")
    .action(act((session) => listPasswords(session)));
  examples(list, "secrets password list");
  const remove = password
    .command("remove <id>")
    .summary("forget a password")
    .description("Forgets a password that the farm keeps.")
    .action(act((session, { arguments: [id] }) => removePassword(session, String(id))));
  examples(remove, "secrets password remove 3f9c01aa");
  examples(password, "secrets password list");
}
