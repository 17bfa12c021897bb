/** The command line: a client of the admin API. */
export type { AdminArguments, CliHost, Terminal, UpArguments } from "./host.ts";
export { runCli } from "./run-cli.ts";
