import { resolve } from "node:path";

/** Where a process was told to look for the farm key. */
export interface FarmKeyOptions {
  /** A file of mode 0600 or stricter. */
  readonly file?: string;
  /** A program with its arguments, such as a KMS client, that prints the key: words split at spaces, run without a shell. */
  readonly command?: string;
}

/** An option of every command that opens the farm's secrets itself. */
export interface FarmKeyOption {
  readonly name: keyof FarmKeyOptions;
  /** Without the two dashes. */
  readonly flag: string;
  readonly value: string;
  readonly help: string;
}

/** The options that say where the farm key is: the same for nodes, the admin API and every verb that enters a store. */
export const FARM_KEY_OPTIONS: readonly FarmKeyOption[] = [
  {
    name: "file",
    flag: "farm-key-file",
    value: "file",
    help: "file with the farm key (else CERTFARM_FARM_KEY_FILE, CERTFARM_FARM_KEY, systemd's credential farm-key)",
  },
  {
    name: "command",
    flag: "farm-key-command",
    value: "command",
    help: "program that prints the farm key, run without a shell (else CERTFARM_FARM_KEY_COMMAND)",
  },
];

/** What options give, by their flag or in camel case. */
export function readFarmKeyOptions(given: Readonly<Record<string, unknown>>): FarmKeyOptions {
  const file = given["farm-key-file"] ?? given["farmKeyFile"];
  const command = given["farm-key-command"] ?? given["farmKeyCommand"];
  return {
    ...(typeof file === "string" ? { file: resolve(file) } : {}),
    ...(typeof command === "string" ? { command } : {}),
  };
}
