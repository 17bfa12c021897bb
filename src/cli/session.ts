import { createClient, httpTransport, type AdminClient } from "../admin/client.ts";
import { findAdmin, type FarmOptions } from "./find-farm.ts";
import type { CliHost } from "./host.ts";
import type { Look } from "./look.ts";
import { createSymbols } from "./symbols.ts";
import { createPaint, jsonText } from "./text.ts";

/** Options that every verb has. */
export interface CommonOptions extends FarmOptions {
  readonly json?: boolean;
}

/** What a verb works with. */
export interface Session extends Look {
  readonly host: CliHost;
  readonly json: boolean;
  /** The file of the farm's authority, if one was named. */
  readonly authorityFile: string | undefined;
  /** The farm's admin API. @throws ADMIN_NOT_RUNNING */
  farm(): Promise<AdminClient>;
  /** The same calls in this process, as far as they need no farm. */
  here(): Promise<AdminClient>;
  print(text: string): void;
  /** The verb's whole answer for machines, on one or more lines of standard output. */
  printJson(value: unknown): void;
}

/** An outcome: 0 ok, 1 looked and found something wrong, others by the errors table. */
export type ExitCode = 0 | 1 | 2 | 3 | 4;

/** A session for one call of the command. */
export function createSession(host: CliHost, options: CommonOptions): Session {
  return {
    host,
    json: options.json === true,
    authorityFile: options.authority ?? host.environment["CERTFARM_AUTHORITY"],
    paint: createPaint(host.out, host.environment),
    symbols: createSymbols(host.out, host.environment),
    columns: host.out.columns,
    farm: async () => createClient(httpTransport(await findAdmin(options, host.environment)), host.signal),
    here: async () => createClient(await host.local(), host.signal),
    print: (text) => host.out.write(text.endsWith("\n") ? text : `${text}\n`),
    printJson: (value) => host.out.write(`${jsonText(value, 2)}\n`),
  };
}
