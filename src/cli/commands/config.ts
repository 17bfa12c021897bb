import type { Command } from "commander";

import { collect, examples, whole } from "../options.ts";
import type { Act } from "../act.ts";
import {
  applyConfig,
  configHistory,
  diffConfig,
  planConfig,
  rollbackConfig,
  showConfig,
  validateConfig,
  type ChangeOptions,
} from "../verbs/config.ts";

const revision = whole(0, 1e9);
const LONGEST_WAIT_S = 3_600;
const DEFAULT_WAIT_S = 60;

/** `config …`. */
export function addConfigVerbs(program: Command, act: Act): void {
  const config = program
    .command("config")
    .summary("the shared configuration and its revisions")
    .description("The shared configuration: farm.yaml and its revisions.");
  addReading(config, act);
  addChanging(config, act);
  examples(config, "config validate farm.yaml", "config plan farm.yaml", "config apply farm.yaml --wait");
}

function addReading(config: Command, act: Act): void {
  const validate = config
    .command("validate <file>")
    .summary("all problems of a farm.yaml at once; needs no farm")
    .description("Says everything that is wrong with a farm.yaml, with line and column; `-` reads standard input. Needs no farm.")
    .action(act((session, { arguments: [file] }) => validateConfig(session, String(file))));
  examples(validate, "config validate farm.yaml", "config validate --json - < farm.yaml");
  const plan = config
    .command("plan <file>")
    .summary("what applying a farm.yaml would do")
    .description(
      "Shows for each host and node which certificate is served before and after. Exits with 1 when a host that is served now would break.",
    )
    .option("--base <revision>", "compare with this revision instead of the latest", revision)
    .action(act((session, { arguments: [file], options }) => planConfig(session, String(file), options)));
  examples(plan, "config plan farm.yaml");
  const show = config
    .command("show [revision]")
    .summary("a revision's text")
    .description("Prints the text of a revision as it was applied; of the latest one without a number.")
    .action(act((session, { arguments: [number] }) => showConfig(session, numberOf(number))));
  examples(show, "config show > farm.yaml", "config show 3");
  const history = config
    .command("history")
    .summary("revisions, newest first")
    .description("Lists the revisions, newest first.")
    .option("--limit <count>", "at most so many", whole(1, 1_000))
    .action(act((session, { options }) => configHistory(session, numberOf(options["limit"]))));
  examples(history, "config history --limit 10");
  const diff = config
    .command("diff [from] [to]")
    .summary("what differs between two revisions")
    .description(
      "Shows what differs between two revisions; without numbers between the latest and the one before it. 0 is an empty configuration.",
    )
    .action(act((session, { arguments: [from, to] }) => diffConfig(session, numberOf(from), numberOf(to))));
  examples(diff, "config diff", "config diff 3 5");
}

function addChanging(config: Command, act: Act): void {
  const apply = changing(config.command("apply <file>"))
    .summary("make a farm.yaml the next revision")
    .description(
      "Makes a farm.yaml the next revision. Refused when it is not valid, when it would break a host that is served now, or when somebody was first.",
    )
    .option("--base <revision>", "the revision that the change started from; another one since is a conflict", revision)
    .action(act((session, { arguments: [file], options }) => applyConfig(session, String(file), changeOptions(options))));
  examples(
    apply,
    "config apply farm.yaml",
    "config apply farm.yaml --base 4 --wait 30",
    "config apply farm.yaml --allow-broken old.example.com",
  );
  const rollback = changing(config.command("rollback <revision>"))
    .summary("return to an earlier revision")
    .description("Makes a new revision with the text of an earlier one; checked as `config apply` is.")
    .action(act((session, { arguments: [number], options }) => rollbackConfig(session, numberOf(number) ?? 0, changeOptions(options))));
  examples(rollback, "config rollback 3", "config rollback 3 --wait");
}

function changing(command: Command): Command {
  return command
    .option("--allow-broken <host>", "this host (or *. pattern) may stop being served; may be repeated", collect)
    .option("--note <text>", "why, for the history")
    .option(
      "--wait [seconds]",
      `end when every node has proved it, or name the laggards (default ${DEFAULT_WAIT_S} s)`,
      whole(1, LONGEST_WAIT_S),
    );
}

/** `--wait` without a number is `true`. */
function changeOptions(options: Readonly<Record<string, unknown>>): ChangeOptions {
  const { wait, ...rest } = options;
  const seconds = wait === true ? DEFAULT_WAIT_S : numberOf(wait);
  return { ...rest, ...(seconds === undefined ? {} : { wait: seconds }) };
}

/** An argument or option that may be absent. @throws InvalidArgumentError */
const numberOf = (value: unknown): number | undefined =>
  typeof value === "number" ? value : typeof value === "string" ? revision(value) : undefined;
