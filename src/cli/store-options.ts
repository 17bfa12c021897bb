import type { Command } from "commander";

import { FarmError } from "../base/index.ts";
import { FARM_KEY_OPTIONS } from "../secrets/farm-key-options.ts";
import { readStoreSettings, STORE_OPTIONS, type StoreSettings } from "../store/store-options.ts";

/** Adds the options that say where the farm's store is; the environment may say it instead. */
export function storeOptions(command: Command): Command {
  for (const { flag, value, help, environment } of STORE_OPTIONS) command.option(`--${flag} <${value}>`, `${help} (else ${environment})`);
  return command;
}

/** The store that a verb's options or the environment name. @throws USAGE when they name none @throws STORE_URL_INVALID */
export function storeOf(
  options: Readonly<Record<string, unknown>>,
  environment: Readonly<Record<string, string | undefined>>,
): StoreSettings {
  const settings = readStoreSettings(options, environment);
  if (settings === undefined) throw new FarmError("USAGE", "--store is needed: a directory, or etcds://USER@HOST:PORT,HOST:PORT/PREFIX");
  return settings;
}

/** Adds the options that say where the farm key is. */
export function farmKeyOptions(command: Command): Command {
  for (const { flag, value, help } of FARM_KEY_OPTIONS) command.option(`--${flag} <${value}>`, help);
  return command;
}
