import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

import { FarmError } from "../base/index.ts";
import { readJoinFile, type JoinFile } from "../identity/index.ts";
import { FARM_KEY_OPTIONS, farmKeySource, readFarmKeyOptions, type FarmKeyOptions } from "../secrets/index.ts";
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

/**
 * Parses a role's arguments; where the store is may be in the environment, and everything may be in the `join.json` of its folder.
 * @throws USAGE @throws STORE_URL_INVALID @throws IDENTITY_FOLDER_UNUSABLE
 */
export async function parseRoleOptions(
  role: "node" | "balancer",
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<RoleOptions> {
  const usage = usageOf(role);
  const values = parseValues(args, usage);
  const told = values.name ?? (role === "balancer" ? "balancer" : undefined);
  const data = resolve(values.data ?? join("certfarm-data", told ?? role));
  const joined = await readJoinFile(data);
  const name = values.name ?? joined?.name ?? told;
  const store = readStoreSettings(values, environment) ?? settingsOf(joined);
  if (name === undefined || store === undefined) {
    throw new FarmError("USAGE", `--name and --store are needed, or the --data of a ${role} that joined: ${usage}`);
  }
  return {
    name,
    store,
    farmKey: farmKeyOf(readFarmKeyOptions(values), joined, environment),
    data,
    allowDrills: values["allow-drills"] === true,
    ...named(values),
  };
}

const usageOf = (role: "node" | "balancer"): string =>
  `certfarm ${role} --data DIR [--name NAME --store PLACE] [--farm-key-file FILE] [--passwords FILE] [--user NAME[:GROUP]]${role === "node" ? " [--allow-drills]" : ""}`;

function parseValues(args: readonly string[], usage: string) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        ...sharedOptions,
        name: { type: "string" },
        data: { type: "string" },
        passwords: { type: "string" },
        user: { type: "string" },
        "allow-drills": { type: "boolean" },
      },
    }).values;
  } catch (error) {
    throw new FarmError("USAGE", `${error instanceof Error ? error.message : String(error)}; ${usage}`, { cause: error });
  }
}

function settingsOf(joined: JoinFile | undefined): StoreSettings | undefined {
  if (joined === undefined) return undefined;
  const { place, ...rest } = joined.store;
  const given = Object.entries(rest).filter(([, value]) => value !== undefined);
  return { place, ...Object.fromEntries(given) };
}

/** What the process was given at its start comes before what it got when it joined. */
function farmKeyOf(
  given: FarmKeyOptions,
  joined: JoinFile | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): FarmKeyOptions {
  const isGiven = farmKeySource({ ...given, environment }) !== undefined;
  return isGiven || joined?.farmKeyFile === undefined ? given : { file: joined.farmKeyFile };
}

/** Options that may be left out. */
const named = ({ user, passwords }: { readonly user?: string; readonly passwords?: string }): Pick<RoleOptions, "user" | "passwords"> => ({
  ...(user === undefined ? {} : { user }),
  ...(passwords === undefined ? {} : { passwords: resolve(passwords) }),
});
