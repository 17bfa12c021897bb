import type { Command } from "commander";

import type { Act } from "../act.ts";
import { commaList, examples } from "../options.ts";

/** `iis …`. */
export function addIisVerbs(program: Command, act: Act): void {
  const iis = program
    .command("iis")
    .summary("real IIS: collect evidence, import the configuration")
    .description("Servers with IIS: the script that collects evidence, and a farm.yaml out of their configuration. Needs no farm.");
  const collect = iis
    .command("collect")
    .summary("the script that collects evidence on a server")
    .description(
      "Prints a PowerShell script (5.1 and 7). Run as administrator on a server with IIS it writes one JSON file with what the doctor needs: " +
        "the binding table, the settings of the central store (never a password), certificates, errors. It changes nothing.",
    )
    .action(act(async (session) => (await import("../verbs/iis.ts")).iisCollect(session)));
  examples(collect, "iis collect > collect-evidence.ps1");
  const importing = iis
    .command("import <file>")
    .summary("a farm.yaml out of applicationHost.config")
    .description(
      "Prints a farm.yaml out of an applicationHost.config; standard error says line by line what has no counterpart. " +
        "With evidence of the servers it names them as nodes.",
    )
    .option("--evidence <list>", "files of `certfarm iis collect`, or folders of them; repeatable", commaList)
    .action(
      act(async (session, { arguments: [file], options }) => (await import("../verbs/iis.ts")).iisImport(session, String(file), options)),
    );
  examples(importing, "iis import applicationHost.config > farm.yaml", "iis import applicationHost.config --evidence web1.json,web2.json");
  examples(iis, "iis collect > collect-evidence.ps1", "iis import applicationHost.config > farm.yaml");
}
