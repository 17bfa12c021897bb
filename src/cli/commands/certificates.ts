import type { Command } from "commander";

import { examples } from "../options.ts";
import type { Act } from "../act.ts";
import { checkFiles, listFiles } from "../verbs/certs.ts";
import { addCertificates, removeCertificates } from "../verbs/change-certs.ts";

/** `certs …`. */
export function addCertificateVerbs(program: Command, act: Act): void {
  const certs = program.command("certs").summary("certificate files").description("Certificate files: those of the farm, and any others.");
  const list = certs
    .command("list [filter]")
    .summary("every file of the central certificates")
    .description(
      "Shows every file of the central certificates: status, names, issuer, days left, and which file wins where several answer for a name. " +
        "The filter is a host name, or a pattern of file names. Exits with 1 when a file is unusable.",
    )
    .action(act((session, { arguments: [filter] }) => listFiles(session, typeof filter === "string" ? filter : undefined)));
  examples(list, "certs list", "certs list www.example.com", "certs list '*.pem' --json");
  const check = certs
    .command("check <file...>")
    .summary("what is in a certificate file; needs no farm")
    .description(
      "Opens certificate files of this machine and says everything of them. Exits with 0 only if every file is usable. Needs no farm.",
    )
    .option("--password-file <file>", "a file whose first line is the password")
    .action(
      act((session, { arguments: [files], options }) => checkFiles(session, (files as readonly unknown[]).map(String), options)), // variadic
    );
  examples(check, "certs check www.example.com.pfx --password-file password.txt", "certs check *.pem --json");
  addChanges(certs, act);
  examples(certs, "certs list", "certs check www.example.com.pfx");
}

function addChanges(certs: Command, act: Act): void {
  const add = certs
    .command("add <file...>")
    .summary("put certificate files into the farm")
    .description(
      "Opens certificate files, refuses what cannot be served, and puts each under its host's name: sealed and without its password when the farm has a farm key, else as it is.",
    )
    .option("--password-file <file>", "a file whose first line is the password of the files")
    .option("--host <name>", "the host or wildcard to file it under (default: by its own name, else its first host)")
    .action(
      act((session, { arguments: [files], options }) => addCertificates(session, (files as readonly unknown[]).map(String), options)),
    ); // variadic
  examples(add, "certs add www.example.com.pfx --password-file password.txt", "certs add new.pem --host '*.example.com'");
  const remove = certs
    .command("remove <name...>")
    .summary("take certificate files out of the farm")
    .description(
      "Removes files of the central certificates, by their names in `certs list`, each with the key file that belongs to it alone.",
    )
    .action(act((session, { arguments: [names] }) => removeCertificates(session, (names as readonly unknown[]).map(String)))); // variadic
  examples(remove, "certs remove www.example.com.pem");
}
