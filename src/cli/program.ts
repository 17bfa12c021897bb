import { Command, Option } from "commander";

import { addAccessVerbs } from "./commands/access.ts";
import { addCertificateVerbs } from "./commands/certificates.ts";
import { addConfigVerbs } from "./commands/config.ts";
import { addDrillVerbs } from "./commands/drill.ts";
import { addContentVerbs } from "./commands/content.ts";
import { addDoctorVerbs } from "./commands/doctor.ts";
import { addExportVerbs } from "./commands/export.ts";
import { addFarmVerbs } from "./commands/farm.ts";
import { addIdentityVerbs } from "./commands/identities.ts";
import { addIisVerbs } from "./commands/iis.ts";
import { addNodeVerbs } from "./commands/nodes.ts";
import { addRepairVerbs } from "./commands/repair.ts";
import { addSecretVerbs } from "./commands/secrets.ts";
import { addStoreVerbs } from "./commands/store.ts";
import type { Act } from "./act.ts";
import { completionScript, SHELLS } from "./completion.ts";
import type { CliHost } from "./host.ts";
import { examples } from "./options.ts";
import { createSession, type CommonOptions } from "./session.ts";

/** The command line with all its verbs. `onExit` is told the outcome of the verb that ran. */
export function createProgram(host: CliHost, onExit: (code: number) => void): Command {
  const program = new Command("certfarm");
  const act: Act =
    (run) =>
    async (...parameters) => {
      const command = parameters.at(-1) as Command; // commander's own last parameter
      const options = command.optsWithGlobals<CommonOptions & Record<string, unknown>>();
      onExit(await run(createSession(host, options), { arguments: command.processedArgs as readonly unknown[], options }));
    };
  program
    .description("A web farm that ends TLS by SNI from one central certificate store, and proves what every node serves.")
    .version(host.version, "-V, --version", "print the version")
    .option("--json", "answer in JSON on standard output")
    .addOption(new Option("--farm <dir>", "the farm's folder (else CERTFARM_FARM, the current folder, ./demo-farm)"))
    .addOption(new Option("--admin <url>", "the admin API's address (else CERTFARM_ADMIN)"))
    .addOption(new Option("--token-file <file>", "the admin API's token file (else CERTFARM_TOKEN_FILE)"))
    .addOption(new Option("--identity <dir>", "an admin's own folder: log in by its certificate (else CERTFARM_IDENTITY)"))
    .addOption(new Option("--authority <file>", "the farm's authority, PEM, to know the admin API by (else CERTFARM_AUTHORITY)"))
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => host.out.write(text),
      writeErr: (text) => host.err.write(text),
      outputError: () => {}, // told as a USAGE error
      getOutHelpWidth: () => host.out.columns ?? 100,
      getErrHelpWidth: () => host.err.columns ?? 100,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .helpCommand("help [command]", "help for a command")
    .exitOverride()
    .showSuggestionAfterError();
  examples(program, "up", "status", "explain www.example.com", "doctor", "certs check new.pfx --password-file password.txt");
  addFarmVerbs(program, act);
  addAccessVerbs(program, act);
  addIdentityVerbs(program, act);
  addConfigVerbs(program, act);
  addCertificateVerbs(program, act);
  addSecretVerbs(program, act);
  addNodeVerbs(program, act);
  addDoctorVerbs(program, act);
  addRepairVerbs(program, act);
  addDrillVerbs(program, act);
  addIisVerbs(program, act);
  addExportVerbs(program, act);
  addContentVerbs(program, act);
  addStoreVerbs(program, act);
  addCompletion(program, act);
  return program;
}

function addCompletion(program: Command, act: Act): void {
  const completion = program
    .command("completion")
    .summary("print a completion script for a shell")
    .description("Prints a script that completes commands and options.");
  completion.addArgument(completion.createArgument("<shell>", "the shell").choices([...SHELLS])).action(
    act((session, { arguments: [shell] }) => {
      session.host.out.write(completionScript(program, shell as (typeof SHELLS)[number])); // one of the choices
      return Promise.resolve(0);
    }),
  );
  examples(
    completion,
    "completion bash > ~/.local/share/bash-completion/completions/certfarm",
    "completion fish > ~/.config/fish/completions/certfarm.fish",
  );
}
