#!/usr/bin/env node
/** The command. Long-running roles load only what they serve with; everything else is a client of the admin API. */
import { fail } from "./fail.ts";

const [verb, ...rest] = process.argv.slice(2);

async function run(): Promise<void> {
  // Help is the command line's, also for the roles.
  const wantsHelp = rest.includes("--help") || rest.includes("-h");
  switch (wantsHelp ? "" : verb) {
    case "node":
      return (await import("./run-node.ts")).runNode(rest);
    case "balancer":
      return (await import("./run-balancer.ts")).runBalancer(rest);
    case "endpoints":
      return (await import("./run-endpoints.ts")).runEndpoints(rest);
    default:
      return (await import("./run-client.ts")).runClient(process.argv.slice(2));
  }
}

await run().catch(fail);
