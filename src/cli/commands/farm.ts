import type { Command } from "commander";

import type { AdminArguments, UpArguments } from "../host.ts";
import { collect, examples, port } from "../options.ts";
import { readFarmKeyOptions } from "../../secrets/farm-key-options.ts";
import { farmKeyOptions, storeOf, storeOptions } from "../store-options.ts";
import type { Act } from "../act.ts";
import { status } from "../verbs/status.ts";

/** `up`, `node`, `balancer`, `admin`, `status`. */
export function addFarmVerbs(program: Command, act: Act): void {
  addUp(program, act);
  addRoles(program);
  addAdmin(program, act);
  const show = program
    .command("status")
    .summary("nodes, revision, balancer, and what each node proved")
    .description("Shows the nodes, the revision, the balancer and which node proved which host. Exits with 1 when something is wrong.")
    .option("-w, --watch", "show it again each second, until Ctrl-C")
    .action(act((session, { options }) => status(session, options)));
  examples(show, "status", "status --watch", "status --json");
}

function addUp(program: Command, act: Act): void {
  const up = farmKeyOptions(program.command("up"))
    .summary("run a whole farm on this machine")
    .description(
      "Runs every node of a farm and its balancer on this machine, and the admin API; without a file a demo farm, which is made first.",
    )
    .argument("[farm.yaml]", "the farm's configuration; its store is the folder `store` beside it")
    .option("--port <base>", "first port of the demo farm: base+443, base+1443, …", port, 8000)
    .option("--demo-root <dir>", "where the demo farm is", "demo-farm")
    .option("--admin-port <port>", "port of the admin API on 127.0.0.1 (default: base+499)", port)
    .option("--allow-drills", "let `certfarm drill` put faults into the nodes: for farms that may fail")
    .action(
      act((session, { arguments: [farmFile], options }) => {
        // Commander parsed these by the definitions above.
        const given = options as unknown as { port: number; demoRoot: string; adminPort?: number; allowDrills?: boolean };
        const up: UpArguments = {
          basePort: given.port,
          demoRoot: given.demoRoot,
          farmKey: readFarmKeyOptions(options),
          ...(typeof farmFile === "string" ? { farmFile } : {}),
          ...(given.adminPort === undefined ? {} : { adminPort: given.adminPort }),
          ...(given.allowDrills === undefined ? {} : { allowDrills: given.allowDrills }),
        };
        return session.host.up(up);
      }),
    );
  examples(up, "up", "up --port 18000 --demo-root /tmp/demo", "up farm.yaml --admin-port 8499", "up --allow-drills");
}

/** Only their help: these roles are started before the command line is loaded. */
function addRoles(program: Command): void {
  const options = (command: Command): Command =>
    storeOptions(command)
      .option("--data <dir>", "the process's own folder (default: certfarm-data/NAME)")
      .option("--passwords <file>", "passwords of the central certificates (docs/certificates.md)")
      .action(() => {});
  const node = program
    .command("node")
    .summary("run one node")
    .description(
      "Runs one server that ends TLS, until SIGTERM; then it drains. Its log goes to standard error (CERTFARM_LOG=debug for more).",
    )
    .option("--name <node>", "the node's name in farm.yaml; that of the join without it")
    .option("--allow-drills", "let `certfarm drill` put faults into this node: for farms that may fail");
  examples(
    farmKeyOptions(options(node)),
    "node --name web1 --store /mnt/farm --data /var/lib/certfarm",
    "node --name web1 --store etcds://certfarm@db1,db2,db3/farm --store-password-file /etc/certfarm/etcd",
  );
  const balancer = program
    .command("balancer")
    .summary("run the balancer")
    .description("Runs the layer-4 balancer, until SIGTERM; then it lets connections end.")
    .option("--name <name>", "its name in logs", "balancer");
  examples(options(balancer), "balancer --store /mnt/farm --data /var/lib/certfarm");
}

function addAdmin(program: Command, act: Act): void {
  const admin = farmKeyOptions(storeOptions(program.command("admin")))
    .summary("run an admin API on its own")
    .description(
      "Serves the admin API for a farm whose processes run elsewhere, on 127.0.0.1 and, with --admin-listen, to other machines, until SIGTERM.",
    )
    .option("--admin-port <port>", "port on 127.0.0.1", port, 8499)
    .option("--admin-listen <ip:port>", "also serve it to other machines here, by HTTPS; needs an identity in --local (`certfarm init`)")
    .option("--admin-name <host>", "a host name that it goes by there; repeatable", collect)
    .option("--local <dir>", "folder for the token file and admin.json", "local")
    .option("--passwords <file>", "passwords of the central certificates (docs/certificates.md)")
    .action(
      act((session, { options }) => {
        const given = options as unknown as Omit<AdminArguments, "store" | "farmKey">; // parsed by the definitions above
        return session.host.serveAdmin({
          ...given,
          store: storeOf(options, session.host.environment),
          farmKey: readFarmKeyOptions(options),
        });
      }),
    );
  examples(admin, "admin --store /mnt/farm", "admin --store etcds://certfarm@db1,db2,db3/farm --store-password-file /etc/certfarm/etcd");
}
