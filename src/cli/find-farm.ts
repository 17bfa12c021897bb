import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";

import { ADMIN_FILE, adminFileShape, parseToken, type HttpTransportSettings } from "../admin/client.ts";
import { FarmError, systemCode } from "../base/index.ts";

/** How the farm was named on the command line. */
export interface FarmOptions {
  readonly admin?: string;
  readonly tokenFile?: string;
  readonly farm?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Where the admin API is: --admin and --token-file, CERTFARM_ADMIN and CERTFARM_TOKEN_FILE, else `local/admin.json` in --farm,
 * CERTFARM_FARM, the current folder or ./demo-farm. @throws ADMIN_NOT_RUNNING, ADMIN_FILES_UNUSABLE, USAGE
 */
export async function findAdmin(options: FarmOptions, environment: Environment): Promise<HttpTransportSettings> {
  const url = options.admin ?? environment["CERTFARM_ADMIN"];
  const tokenFile = options.tokenFile ?? environment["CERTFARM_TOKEN_FILE"];
  if (url !== undefined && tokenFile !== undefined) return settingsOf(checkUrl(url), tokenFile);
  const found = await findFile(options.farm ?? environment["CERTFARM_FARM"]);
  return settingsOf(url === undefined ? found.url : checkUrl(url), tokenFile ?? found.tokenFile);
}

function checkUrl(text: string): string {
  if (URL.canParse(text) && new URL(text).protocol === "http:") return text;
  throw new FarmError("USAGE", `${JSON.stringify(text)} is not the address of an admin API, e.g. http://127.0.0.1:8499`);
}

async function settingsOf(url: string, tokenFile: string): Promise<HttpTransportSettings> {
  const text = await readFile(tokenFile, "utf8").catch((error: unknown) => {
    throw new FarmError("ADMIN_FILES_UNUSABLE", `${tokenFile} cannot be read: ${systemCode(error) ?? String(error)}`, { cause: error });
  });
  const token = parseToken(text);
  if (token === undefined) throw new FarmError("ADMIN_FILES_UNUSABLE", `${tokenFile} holds no token`);
  return { url, token };
}

async function findFile(farm: string | undefined): Promise<{ readonly url: string; readonly tokenFile: string }> {
  const folders = farm === undefined ? [".", "demo-farm"] : [farm];
  for (const folder of folders) {
    const path = join(folder, ADMIN_FILE);
    const text = await readText(path);
    if (text !== undefined) return readAdminFile(path, text);
  }
  const where = folders.map((folder) => resolve(folder)).join(" nor in ");
  throw new FarmError("ADMIN_NOT_RUNNING", `no running farm is known in ${where}`, {
    facts: { folders: folders.map((each) => resolve(each)) },
  });
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new FarmError("ADMIN_FILES_UNUSABLE", `${path} cannot be read: ${code ?? String(error)}`, { cause: error });
  }
}

function readAdminFile(path: string, text: string): { readonly url: string; readonly tokenFile: string } {
  try {
    return adminFileShape.parse(JSON.parse(text));
  } catch (error) {
    throw new FarmError("ADMIN_FILES_UNUSABLE", `${path} is damaged`, { cause: error });
  }
}
