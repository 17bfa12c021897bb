import type { Command } from "commander";

import type { Act } from "../act.ts";
import { collect, examples, fileEnding, whole } from "../options.ts";
import { addDialOptions, addServerOptions } from "./look-options.ts";

/** `doctor …`. */
export function addDoctorVerbs(program: Command, act: Act): void {
  const command = program
    .command("doctor [host...]")
    .summary("name the cause of what is wrong, on any servers")
    .description(
      "Looks from outside and from inside, and names the cause of what is wrong: on the running farm, or with --nodes, --evidence, --nginx or " +
        "--haproxy on any servers, where no farm is needed. Exits with 0 when all is well (notices allowed), 1 with findings, " +
        "2 when nothing could be looked at. Ctrl-C shows what is known by then.",
    );
  addOutputs(addDialOptions(addServerOptions(command)))
    .option("--node <node>", "of the running farm this node only; repeatable", collect)
    .action(
      act(async (session, { arguments: [hosts], options }) => {
        const { doctor } = await import("../verbs/doctor.ts");
        return doctor(session, texts(hosts), options);
      }),
    );
  examples(
    command,
    "doctor",
    "doctor www.example.com --nodes 10.0.0.4,10.0.0.5 --via www.example.com",
    "doctor --evidence web1.json,web2.json --share /mnt/certificates --html report.html",
    "doctor --hosts-file hosts.txt --nodes-file nodes.txt --json > old.json",
    "doctor --watch 5 --prometheus /var/lib/node_exporter/certfarm.prom",
  );
  addRules(command, act);
}

function addOutputs(command: Command): Command {
  return command
    .option("--watch [seconds]", "look again and again (default: 2 s after the last) and tell what changed, until Ctrl-C", whole(1, 86_400))
    .option("--since <report.json>", "tell what changed since this report of --json")
    .option("--junit [file.xml]", "JUnit XML, to standard output or a file", fileEnding(".xml"))
    .option("--html <file.html>", "one page with the matrix and the findings, that needs nothing else", fileEnding(".html", ".htm"))
    .option("--prometheus [file.prom]", "Prometheus text, to standard output or a file", fileEnding(".prom", ".txt"));
}

function addRules(command: Command, act: Act): void {
  const rules = command
    .command("rules")
    .summary("every cause that the doctor knows")
    .description("Lists every rule of the doctor: a cause, how bad it is, and its code.")
    .action(act(async (session) => (await import("../verbs/rules.ts")).listRules(session)));
  examples(rules, "doctor rules", "doctor rules --json");
  const rule = command
    .command("rule <code>")
    .summary("what a cause is, and what to do")
    .description("Explains a rule of the doctor: what happens and why, what to do, and who says so.")
    .action(act(async (session, { arguments: [code] }) => (await import("../verbs/rules.ts")).showRule(session, String(code))));
  examples(rule, "doctor rule central-row-missing");
}

/** A variadic argument. */
export const texts = (value: unknown): readonly string[] => (Array.isArray(value) ? value.map(String) : []);
