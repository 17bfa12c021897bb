import type { Source } from "../doctor/index.ts";
import { readConfiguration } from "./read-application-host.ts";

/** Whether a server takes its configuration from a shared folder, and from where. */
export interface Redirection {
  readonly enabled: boolean;
  readonly path?: string;
  readonly user?: string;
}

/**
 * Reads a `redirection.config`; its password stays where it is.
 * @throws IIS_CONFIG_MALFORMED with line and column, IIS_INPUT_TOO_LARGE
 */
export function readRedirection(content: Uint8Array | string, source: Source): Redirection {
  const found = readConfiguration(content, source).children.filter(({ name }) => name === "configurationRedirection");
  const { enabled, path = "", userName = "" } = found.at(-1)?.attributes ?? {};
  return {
    enabled: enabled?.toLowerCase() === "true",
    ...(path === "" ? {} : { path }),
    ...(userName === "" ? {} : { user: userName }),
  };
}
