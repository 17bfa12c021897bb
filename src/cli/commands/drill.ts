import type { Command } from "commander";

import type { Act } from "../act.ts";
import { examples, whole } from "../options.ts";

const MOST_SECONDS = 3_600;

/** `drill …`. */
export function addDrillVerbs(program: Command, act: Act): void {
  const drill = program
    .command("drill")
    .summary("give the farm a fault on purpose, and see how it copes")
    .description(
      "Puts a known fault into one node of a running farm, to prove that the balancer leaves the node out, that the doctor names the cause and that it can be mended. " +
        "Only farms that were started with --allow-drills take part. Drills end by themselves.",
    );
  const list = drill
    .command("list")
    .summary("what faults there are")
    .description("Lists the drills, what each does, and the finding that names it.")
    .action(act(async (session) => (await import("../verbs/drill.ts")).listDrills(session)));
  examples(list, "drill list", "drill list --json");
  addStart(drill, act);
  const stop = drill
    .command("stop [name]")
    .summary("end drills")
    .description("Ends the drills of this name, or all, and waits until the hosts are proved again. Exits with 1 when one is not.")
    .action(act(async (session, { arguments: [name] }) => (await import("../verbs/drill.ts")).stopDrills(session, asText(name))));
  examples(stop, "drill stop", "drill stop wrong-password");
  const score = drill
    .command("score")
    .summary("how long each drill took to be noticed, named and mended")
    .description(
      "Shows the drills of this farm, newest first: when the balancer left the node out, when a look of `certfarm doctor` named the cause, when the host was proved again, " +
        "and whether a client of the balancer met the fault.",
    )
    .option("--limit <count>", "at most so many", whole(1, 50))
    .action(act(async (session, { options }) => (await import("../verbs/drill.ts")).scoreDrills(session, options)));
  examples(score, "drill score", "drill score --limit 5 --json");
}

function addStart(drill: Command, act: Act): void {
  const start = drill
    .command("start <name>")
    .summary("put a fault into a node")
    .description(
      "Puts the fault into a node and dials the host through the balancer until the node is left out. It is refused where the node is the only one that serves the host. " +
        "Exits with 1 when the node should have been left out and was not, or a client met the fault after that.",
    )
    .option("--node <node>", "the node (default: the last that serves the host)")
    .option("--host <host>", "the host that it is about (default: the first that two nodes have proved)")
    .option("--for <seconds>", "when it ends by itself", whole(1, MOST_SECONDS), 600)
    .option("--watch <seconds>", "how long clients are watched at most", whole(0, 60), 5)
    .action(
      act(async (session, { arguments: [name], options }) =>
        (await import("../verbs/drill.ts")).startDrill(session, asText(name) ?? "", options),
      ),
    );
  examples(
    start,
    "drill start central-row-missing",
    "drill start ip-row-shadows --node web4",
    "drill start expired --host www.example.com --for 60",
  );
}

const asText = (argument: unknown): string | undefined => (typeof argument === "string" ? argument : undefined);
