#!/usr/bin/env node
/** The command. Long-running roles load only what they serve with; everything else is a client of the admin API. */
import { fail } from "./fail.ts";

const [verb, ...rest] = process.argv.slice(2);

/** Second words of commands whose first one is a role. */
const OTHER_WORDS: ReadonlySet<string> = new Set(["join", "token", "revoke"]);

async function run(): Promise<void> {
  // Help is the command line's, also for the roles.
  const wantsHelp = rest.includes("--help") || rest.includes("-h");
  // `node join` and its like are calls of the command line, too.
  const isRole = !wantsHelp && !(rest[0] !== undefined && OTHER_WORDS.has(rest[0]));
  switch (isRole ? verb : "") {
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
