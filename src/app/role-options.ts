import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

import { FarmError } from "../base/index.ts";
import { FARM_KEY_OPTIONS, readFarmKeyOptions, type FarmKeyOptions } from "../secrets/index.ts";
import { readStoreSettings, STORE_OPTIONS, type StoreSettings } from "../store/index.ts";

/** Options of `certfarm node` and `certfarm balancer`. */
export interface RoleOptions {
  readonly name: string;
  readonly store: StoreSettings;
  /** Where the farm key is; a balancer needs none. */
  readonly farmKey: FarmKeyOptions;
  /** The process's own directory. */
  readonly data: string;
  /** Password file (docs/certificates.md). */
  readonly passwords?: string;
  /** `NAME[:GROUP]`: whom the process becomes once its ports are bound. */
  readonly user?: string;
  /** Lets drills put faults into the node. */
  readonly allowDrills: boolean;
}

/** Options of the store and of the farm key, for parseArgs. */
const sharedOptions = Object.fromEntries([...STORE_OPTIONS, ...FARM_KEY_OPTIONS].map(({ flag }) => [flag, { type: "string" as const }]));

/** Parses a role's arguments; where the store is may be in the environment. @throws USAGE @throws STORE_URL_INVALID */
export function parseRoleOptions(
  role: "node" | "balancer",
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>> = process.env,
): RoleOptions {
  const usage = `certfarm ${role} --name NAME --store PLACE --data DIR [--farm-key-file FILE] [--passwords FILE] [--user NAME[:GROUP]]${role === "node" ? " [--allow-drills]" : ""}`;
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        ...sharedOptions,
        name: { type: "string" },
        data: { type: "string" },
        passwords: { type: "string" },
        user: { type: "string" },
        "allow-drills": { type: "boolean" },
      },
    });
    const name = values.name ?? (role === "balancer" ? "balancer" : undefined);
    const store = readStoreSettings(values, environment);
    if (name === undefined || store === undefined) throw new FarmError("USAGE", `--name and --store are needed: ${usage}`);
    const data = resolve(values.data ?? join("certfarm-data", name));
    return {
      name,
      store,
      farmKey: readFarmKeyOptions(values),
      data,
      allowDrills: values["allow-drills"] === true,
      ...named(values),
    };
  } catch (error) {
    if (error instanceof FarmError) throw error;
    throw new FarmError("USAGE", `${error instanceof Error ? error.message : String(error)}; ${usage}`, { cause: error });
  }
}

/** Options that may be left out. */
const named = ({ user, passwords }: { readonly user?: string; readonly passwords?: string }): Pick<RoleOptions, "user" | "passwords"> => ({
  ...(user === undefined ? {} : { user }),
  ...(passwords === undefined ? {} : { passwords: resolve(passwords) }),
});
