import { instant } from "../base/index.ts";
import type { CentralEvidence, CentralFile } from "../doctor/index.ts";
import type { EvidenceFile } from "./evidence-file.ts";
import { present } from "./present.ts";

type CentralPart = NonNullable<EvidenceFile["central"]>;

/** The default of `PollingInterval`. */
const DEFAULT_POLLING_SECONDS = 300;

/**
 * How a server sees its central certificates. What another account than the configured one could read proves nothing for that account:
 * then only failures that concern every account count.
 */
export function centralEvidence({ server }: EvidenceFile, central: CentralPart): CentralEvidence {
  const { installed, enabled, location, user, hasPassword, pollingSeconds, files } = central;
  const own = isOwnAccount(server, central);
  return {
    source: `${server}: central certificate store`,
    ...present({ installed, enabled, hasPassword, access: accessOf(central, own), files: files?.map((file) => fileOf(file, own)) }),
    ...present({ location: location === "" ? undefined : location, user: user === "" ? undefined : user }),
    pollingSeconds: pollingSeconds ?? DEFAULT_POLLING_SECONDS,
  };
}

function accessOf({ access }: CentralPart, own: boolean): CentralEvidence["access"] {
  if (access === undefined) return undefined;
  const { kind, cause = "other", message = "" } = access;
  if (kind === "readable") return own ? { kind } : undefined;
  return own || cause === "unreachable" || cause === "absent" ? { kind, cause, message } : undefined;
}

/** Whether the share was tested as the account that IIS uses for it. `user`, `.\user` and `COMPUTER\user` are one account. */
function isOwnAccount(server: string, { user = "", access }: CentralPart): boolean {
  if (access?.as === undefined) return true;
  if (user === "") return /\\SYSTEM$/i.test(access.as);
  return fullName(server, access.as) === fullName(server, user);
}

function fullName(server: string, account: string): string {
  if (account.includes("@")) return account.toLowerCase();
  const [domain = "", name] = account.split("\\", 2);
  return (name === undefined ? `${server}\\${domain}` : domain === "." ? `${server}\\${name}` : account).toLowerCase();
}

function fileOf({ name, size, modified, sha256, access }: NonNullable<CentralPart["files"]>[number], own: boolean): CentralFile {
  return {
    name,
    size,
    ...present({
      modifiedAt: modified === undefined ? undefined : instant(Date.parse(modified)),
      digest: sha256?.toUpperCase(),
      access: own ? access : undefined,
    }),
  };
}
