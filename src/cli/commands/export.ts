import type { Command } from "commander";

import type { RouteInput } from "../../admin/client.ts";
import type { Act } from "../act.ts";
import { examples } from "../options.ts";

type Product = RouteInput<"config.export">["product"];

const PRODUCTS: Readonly<Record<Product, string>> = {
  haproxy: "haproxy.cfg: TCP mode, a backend and checks for each host, or for groups of hosts when there are many",
  "nginx-stream": "a file for nginx's main context, with a script that asks the nodes",
  keepalived: "keepalived.conf: a virtual address by VRRP, and the kernel's LVS behind it",
  azure: "an ARM template of a Standard Load Balancer",
  aws: "a CloudFormation template of a Network Load Balancer",
  "etcd-roles": "a shell script that gives etcd a user for each process of the farm, with the rights that it needs",
};

/** `export …`. */
export function addExportVerbs(program: Command, act: Act): void {
  const exporting = program
    .command("export")
    .summary("the farm's configuration for balancers of other makes, and rights in etcd")
    .description(
      "Prints a configuration for a balancer of another make: its health checks ask the nodes' /readyz, its comments say what to fill in.",
    );
  for (const [product, what] of Object.entries(PRODUCTS) as [Product, string][]) {
    const verb = exporting
      .command(product)
      .summary(what)
      .description(`Prints ${what}. Of the farm's latest revision, or of a file, which needs no farm.`)
      .option("--file <farm.yaml>", "of this farm.yaml; - reads standard input")
      .option("--out <file>", "write it to this file")
      .action(act(async (session, { options }) => (await import("../verbs/export.ts")).exportBalancer(session, product, options)));
    examples(verb, `export ${product} --file farm.yaml`);
  }
  examples(exporting, "export haproxy --out haproxy.cfg", "export aws --file farm.yaml > farm.cloudformation.json");
}
