import type { Command } from "commander";

import { commaList, examples, port, whole } from "../options.ts";
import type { Act } from "../act.ts";
import { explain, type ExplainOptions } from "../verbs/explain.ts";
import { addBinding, deleteBinding, drain, prove, refusals, showBindings, undrain } from "../verbs/nodes.ts";

const NODE = "--node <node>";

/** `bindings …`, `explain`, `refusals`, `drain`, `undrain`, `prove`. */
export function addNodeVerbs(program: Command, act: Act): void {
  addBindings(program, act);
  addExplain(program, act);
  const follow = program
    .command("refusals")
    .summary("ClientHellos that got no certificate")
    .description("Shows the refusals that the nodes keep, oldest first.")
    .option("-f, --follow", "go on with those that come, until Ctrl-C")
    .option(NODE, "of this node only")
    .option("--limit <count>", "at most so many of each node at a time", whole(1, 1_000))
    .action(act((session, { options }) => refusals(session, options)));
  examples(follow, "refusals", "refusals --follow --node web1");
  const off = program
    .command("drain <node>")
    .summary("no new connections for a node")
    .description("Takes a node out of the balancer's rotation: it gets no new connections and keeps those it has until they end.")
    .action(act((session, { arguments: [node] }) => drain(session, String(node))));
  examples(off, "drain web2");
  const on = program
    .command("undrain <node>")
    .summary("new connections for a node again")
    .description("Puts a drained node back into the balancer's rotation.")
    .action(act((session, { arguments: [node] }) => undrain(session, String(node))));
  examples(on, "undrain web2");
  const now = program
    .command("prove [host...]")
    .summary("let nodes dial themselves now")
    .description(
      "Lets nodes dial their own listeners now, for these hosts or for all, and shows what they saw. Exits with 1 when one failed.",
    )
    .option(NODE, "this node only")
    .action(act((session, { arguments: [hosts], options }) => prove(session, Array.isArray(hosts) ? hosts.map(String) : [], options)));
  examples(now, "prove", "prove www.example.com --node web1");
}

function addBindings(program: Command, act: Act): void {
  const bindings = program
    .command("bindings")
    .summary("a node's real binding table")
    .description("The binding table that a node's TLS endpoint consults.");
  const show = bindings
    .command("show")
    .summary("show the table")
    .description("Shows the binding table of a node, or of every node.")
    .option(NODE, "this node only");
  show
    .addOption(show.createOption("--format <format>", "how it is written").choices(["table", "netsh", "json"]).default("table"))
    .action(act((session, { options }) => showBindings(session, options)));
  examples(show, "bindings show", "bindings show --node web1 --format netsh");
  const add = bindings
    .command("add <row>")
    .summary("put a row into the table")
    .description(
      "Puts a row into one node's table: ip:10.0.0.4:443, host:www.example.com:443, central:443 or any:0.0.0.0:443. The reconciler may take out what the configuration does not ask for.",
    )
    .requiredOption(NODE, "the node")
    .option("--file <file>", "the certificate file; needed for every row but central ones")
    .option("--app-id <guid>", "the application that owns the row")
    // Commander parsed these by the definitions above.
    .action(act((session, { arguments: [row], options }) => addBinding(session, String(row), ownOptions(options))));
  examples(add, "bindings add ip:10.0.0.4:443 --file www.example.com.pfx --node web1");
  const remove = bindings
    .command("delete <row>")
    .summary("take a row out of the table")
    .description("Takes a row out of one node's table. The reconciler puts back what the configuration asks for.")
    .requiredOption(NODE, "the node")
    .action(act((session, { arguments: [row], options }) => deleteBinding(session, String(row), { node: String(options["node"]) })));
  examples(remove, "bindings delete central:443 --node web1");
  examples(bindings, "bindings show", "bindings add host:www.example.com:443 --file www.example.com.pfx --node web1");
}

function ownOptions(options: Readonly<Record<string, unknown>>): { node: string; file?: string; appId?: string } {
  const { node, file, appId } = options;
  return { node: String(node), ...(typeof file === "string" ? { file } : {}), ...(typeof appId === "string" ? { appId } : {}) };
}

function addExplain(program: Command, act: Act): void {
  const command = program
    .command("explain [host]")
    .summary("which certificate a name gets, and why")
    .description(
      "Prints every step by which a node chooses the certificate for a name, by the same function that serves. Exits with 1 when it is refused.",
    )
    .option(NODE, "this node only; without it every node, those with equal answers together")
    .option("--at <ip:port>", "as if the client had come to this address; the port is the one of the binding")
    .option("--port <port>", "the binding's port", port, 443)
    .option("--no-sni", "a client that sends no server name")
    .option("--evidence <list>", "servers with IIS instead of the farm: files of `certfarm iis collect`; repeatable", commaList)
    .option("--share <dir>", "with --evidence: the folder of the central certificates")
    .option("--password-file <file>", "with --evidence: a file whose first line is the password of those certificates")
    .action(
      act((session, { arguments: [host], options }) => {
        const given = options as unknown as ExplainOptions; // parsed by the definitions above
        return explain(session, typeof host === "string" ? host : undefined, given);
      }),
    );
  examples(
    command,
    "explain www.example.com",
    "explain www.example.com --node web1 --at 10.0.0.4:443",
    "explain --no-sni",
    "explain www.example.com --evidence web1.json,web2.json",
  );
}
