import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

import { FarmError } from "../base/index.ts";

/** Options of `certfarm node` and `certfarm balancer`. */
export interface RoleOptions {
  readonly name: string;
  /** Directory of the store. */
  readonly store: string;
  /** The process's own directory. */
  readonly data: string;
  /** Password file (docs/certificates.md). */
  readonly passwords?: string;
  /** Lets drills put faults into the node. */
  readonly allowDrills: boolean;
}

/** Parses a role's arguments. @throws USAGE */
export function parseRoleOptions(role: "node" | "balancer", args: readonly string[]): RoleOptions {
  const usage = `certfarm ${role} --name NAME --store DIR --data DIR [--passwords FILE]${role === "node" ? " [--allow-drills]" : ""}`;
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        name: { type: "string" },
        store: { type: "string" },
        data: { type: "string" },
        passwords: { type: "string" },
        "allow-drills": { type: "boolean" },
      },
    });
    const name = values.name ?? (role === "balancer" ? "balancer" : undefined);
    if (name === undefined || values.store === undefined) throw new FarmError("USAGE", `--name and --store are needed: ${usage}`);
    const data = resolve(values.data ?? join("certfarm-data", name));
    return {
      name,
      store: resolve(values.store),
      data,
      allowDrills: values["allow-drills"] === true,
      ...(values.passwords === undefined ? {} : { passwords: resolve(values.passwords) }),
    };
  } catch (error) {
    if (error instanceof FarmError) throw error;
    throw new FarmError("USAGE", `${error instanceof Error ? error.message : String(error)}; ${usage}`, { cause: error });
  }
}
