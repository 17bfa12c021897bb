import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";

import { ADMIN_FILE, adminFileShape, parseToken, type ClientIdentity, type HttpTransportSettings } from "../admin/client.ts";
import { FarmError, Secret, systemCode } from "../base/index.ts";

/** How the farm was named on the command line. */
export interface FarmOptions {
  readonly admin?: string;
  readonly tokenFile?: string;
  /** The folder of an identity of the farm. */
  readonly identity?: string;
  /** File with the farm's authority. */
  readonly authority?: string;
  readonly farm?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Where the admin API is: --admin with --token-file or --identity, else CERTFARM_ADMIN and its like, else `local/admin.json` in --farm,
 * CERTFARM_FARM, the current folder or ./demo-farm. @throws ADMIN_NOT_RUNNING, ADMIN_FILES_UNUSABLE, USAGE
 */
export async function findAdmin(options: FarmOptions, environment: Environment): Promise<HttpTransportSettings> {
  const url = options.admin ?? environment["CERTFARM_ADMIN"];
  const tokenFile = options.tokenFile ?? environment["CERTFARM_TOKEN_FILE"];
  const identity = await identityOf(options, environment);
  const canLogIn = tokenFile !== undefined || identity.keyPem !== undefined;
  if (url !== undefined && canLogIn) return settingsOf(checkUrl(url), tokenFile, identity);
  const found = await findFile(options.farm ?? environment["CERTFARM_FARM"]);
  return settingsOf(url === undefined ? found.url : checkUrl(url), tokenFile ?? found.tokenFile, identity);
}

function checkUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "") {
    throw new FarmError(
      "USAGE",
      `${JSON.stringify(text)} is not the address of an admin API, e.g. http://127.0.0.1:8499 or https://10.0.0.9:8499`,
    );
  }
  if (url.protocol === "http:" && !isLoopback(url.hostname)) {
    throw new FarmError("USAGE", `${text}: to other machines a token goes by https:// only`);
  }
  return text;
}

const isLoopback = (host: string): boolean => host === "localhost" || host === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(host);

async function settingsOf(url: string, tokenFile: string | undefined, identity: ClientIdentity): Promise<HttpTransportSettings> {
  const shown = url.startsWith("https:") ? { identity } : {};
  if (tokenFile === undefined) {
    if (url.startsWith("https:")) return { url, ...shown };
    throw new FarmError("USAGE", `${url} takes no certificate: give --token-file FILE, or call it by https://`);
  }
  const token = parseToken(await readGiven(tokenFile));
  if (token === undefined) throw new FarmError("ADMIN_FILES_UNUSABLE", `${tokenFile} holds no token`);
  return { url, token, ...shown };
}

async function readGiven(path: string): Promise<string> {
  return readFile(path, "utf8").catch((error: unknown) => {
    throw new FarmError("ADMIN_FILES_UNUSABLE", `${path} cannot be read: ${systemCode(error) ?? String(error)}`, { cause: error });
  });
}

/** `--identity` is a process's own folder or the folder `identity` in it; the authority in it is trusted unless another one is given. */
async function identityOf(options: FarmOptions, environment: Environment): Promise<ClientIdentity> {
  const folder = options.identity ?? environment["CERTFARM_IDENTITY"];
  const authority = options.authority ?? environment["CERTFARM_AUTHORITY"];
  const given = authority === undefined ? {} : { authorityPem: await readGiven(authority) };
  if (folder === undefined) return given;
  const inside = join(folder, "identity");
  const place = (await readText(join(inside, "certificate.pem"))) === undefined ? folder : inside;
  const [certificatePem, keyPem, authorityPem] = await Promise.all(
    ["certificate.pem", "key.pem", "authority.pem"].map((name) => readGiven(join(place, name))),
  );
  return {
    ...(authorityPem === undefined ? {} : { authorityPem }),
    ...(certificatePem === undefined || keyPem === undefined ? {} : { certificatePem, keyPem: new Secret(keyPem) }),
    ...given,
  };
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
