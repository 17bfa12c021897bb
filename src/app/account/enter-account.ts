import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";

import { FarmError, type Log } from "../../base/index.ts";
import { become, isRoot } from "./become.ts";
import { bindSockets, noSockets, type BoundSockets } from "./bound-sockets.ts";
import { findAccount } from "./find-account.ts";
import { ownDataFolder, requireDataFolder } from "./own-data-folder.ts";
import { privileged, type PlannedEndpoint } from "./planned-endpoints.ts";

/** What entering an account needs. */
export interface EntryParts {
  readonly role: "node" | "balancer";
  /** The role's own arguments. */
  readonly args: readonly string[];
  /** `NAME[:GROUP]`; undefined = stay who you are. */
  readonly user: string | undefined;
  readonly data: string;
  readonly log: Log;
  readonly ended: Promise<string>;
}

/** What nobody wanted by then is not needed by the first configuration. */
const KEEP_MS = 15_000;
const PATIENCE_MS = 5_000;

/**
 * Binds the ports below 1024 that the role will listen on, then becomes the account that was named. Until then, as root, nothing is read but the
 * system's directory of accounts: which ports they are is found out by a process that has become that account already.
 * A process that stays root says so. Undefined = the role was asked to end meanwhile. @throws ACCOUNT_UNKNOWN, ACCOUNT_NOT_TAKEN, DATA_FOLDER_FOREIGN
 */
export async function enterAccount(parts: EntryParts): Promise<BoundSockets | undefined> {
  const { user, data, log } = parts;
  if (user === undefined) {
    if (isRoot())
      log.warn("this process is root and stays it", {
        remedy: "start it with --user NAME, or as another account with CAP_NET_BIND_SERVICE",
      });
    return noSockets;
  }
  const account = await findAccount(user);
  if (account.uid === 0)
    log.warn("this process is root and stays it", { account: account.name, remedy: "name another account with --user" });
  if (!isRoot()) {
    become(account); // nothing to do when it is that account already, refused otherwise
    return noSockets;
  }
  ownDataFolder(data, account);
  const endpoints = await askEndpoints(parts);
  if (endpoints === undefined) return undefined;
  const ports = await privileged(endpoints);
  const sockets = await bindSockets(ports, log);
  become(account);
  requireDataFolder(data, account);
  log.info("root is given up", { account: account.name, uid: account.uid, gid: account.gid, bound: ports.length });
  setTimeout(() => sockets.closeRest(), KEEP_MS).unref();
  return sockets;
}

/** Asks `certfarm endpoints`, which waits for a configuration. */
async function askEndpoints({ role, args, log, ended }: EntryParts): Promise<readonly PlannedEndpoint[] | undefined> {
  const [main = ""] = process.argv.slice(1);
  const child = spawn(process.execPath, [...process.execArgv, main, "endpoints", role, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  const exit = new Promise<number | null>((resolve) => child.once("close", resolve).once("error", () => resolve(null)));
  const patience = setTimeout(
    () => log.warn("this process stays root until it has a configuration: which ports to bind is not known before", {}),
    PATIENCE_MS,
  ).unref();
  let isEnding = false;
  void ended.then(() => {
    isEnding = true;
    return child.kill();
  });
  try {
    const [answer, code] = await Promise.all([text(child.stdout), exit]);
    if (isEnding) return undefined;
    if (code === 0) return JSON.parse(answer) as readonly PlannedEndpoint[]; // our own program's answer
    throw new FarmError(
      "ACCOUNT_NOT_TAKEN",
      `the ports to bind could not be found out (certfarm endpoints ended with ${code ?? "a fault"})`,
    );
  } finally {
    clearTimeout(patience);
  }
}
