import type { Command } from "commander";

import { examples } from "../options.ts";
import type { Act } from "../act.ts";
import { checkFiles, listFiles } from "../verbs/certs.ts";

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
  examples(certs, "certs list", "certs check www.example.com.pfx");
}
