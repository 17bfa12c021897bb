import type { BoundSockets } from "./account/bound-sockets.ts";
import { enterAccount } from "./account/enter-account.ts";
import { checkRoleFiles } from "./check-secret-files.ts";
import { guardProcess } from "./guard-process.ts";
import type { RoleOptions } from "./role-options.ts";
import type { Role } from "./role.ts";

/** What a role was started with. */
export interface Started {
  readonly args: readonly string[];
  readonly options: RoleOptions;
  readonly role: Role;
}

/**
 * What a role does before it opens anything: it guards its memory and files, binds the ports that need root and gives root up, and makes sure
 * that its secrets are nobody else's. Undefined = it was asked to end meanwhile.
 * @throws ACCOUNT_UNKNOWN, ACCOUNT_NOT_TAKEN, DATA_FOLDER_FOREIGN, SECRET_FILE_EXPOSED
 */
export async function prepareProcess(name: "node" | "balancer", { args, options, role }: Started): Promise<BoundSockets | undefined> {
  const { data, user } = options;
  const { log, ended } = role;
  await guardProcess(log);
  const sockets = await enterAccount({ role: name, args, user, data, log, ended });
  if (sockets !== undefined) await checkRoleFiles(data, [options.passwords, ...secretFilesOf(options)]);
  return sockets;
}

/** Files of the store's settings that hold secrets. */
function secretFilesOf({ store }: RoleOptions): readonly (string | undefined)[] {
  return [store.passwordFile, store.keyFile];
}
