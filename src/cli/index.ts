/** The command line: a client of the admin API. */
export type { AdminArguments, CliHost, StoreVerbs, Terminal, UpArguments } from "./host.ts";
export type { IdentityHost } from "./identity-host.ts";
export { runCli } from "./run-cli.ts";
