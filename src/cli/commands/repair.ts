import type { Command } from "commander";

import type { Act } from "../act.ts";
import { examples, whole } from "../options.ts";
import { texts } from "./doctor.ts";
import { addDialOptions, addServerOptions } from "./look-options.ts";

/** `repair …`. */
export function addRepairVerbs(program: Command, act: Act): void {
  const command = program
    .command("repair [finding...]")
    .summary("mend what the doctor found, one node at a time, and prove it")
    .description(
      "Shows what would be done for the findings (ids or codes; without any for all), asks, and does it one node at a time: drain, act, prove by " +
        "handshakes, undrain. What makes a proof worse is undone. With --script it writes one PowerShell script for each server with IIS instead. " +
        "Exits with 1 when something remains, with 4 when it was not agreed to.",
    );
  addDialOptions(addServerOptions(command))
    .option("--dry-run", "show the plan only; exits with 1 when there is something to do")
    .option("-y, --yes", "do not ask")
    .option("--script [dir]", "write one script a server into this folder (default: scripts); changes nothing else")
    .action(
      act(async (session, { arguments: [findings], options }) => {
        const { script } = options;
        if (script === undefined) return (await import("../verbs/repair.ts")).repair(session, texts(findings), options);
        const { repairScript } = await import("../verbs/repair-script.ts");
        return repairScript(session, texts(findings), { ...options, script: typeof script === "string" ? script : "scripts" });
      }),
    );
  examples(
    command,
    "repair --dry-run",
    "repair",
    "repair central-row-missing --yes",
    "repair --evidence web1.json,web2.json --script scripts",
  );
  const history = command
    .command("history")
    .summary("repairs, newest first")
    .description("Lists the repairs of this farm, newest first, and what became of their steps.")
    .option("--limit <count>", "at most so many", whole(1, 100))
    .action(act(async (session, { options }) => (await import("../verbs/repair.ts")).repairHistory(session, options)));
  examples(history, "repair history", "repair history --limit 5 --json");
}
