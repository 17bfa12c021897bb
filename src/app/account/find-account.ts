import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { FarmError } from "../../base/index.ts";

/** Whom a process runs as. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

const LOOKUP_MS = 5_000;
const run = promisify(execFile);

/** The account of `NAME` or `NAME:GROUP`, each a name or a number, by the system's own directory (files, LDAP and so on). @throws ACCOUNT_UNKNOWN */
export async function findAccount(text: string): Promise<Account> {
  const [wanted = "", group, ...more] = text.split(":");
  if (wanted === "" || group === "" || more.length > 0) throw unknown(`${JSON.stringify(text)} is not NAME or NAME:GROUP`);
  const [name = "", , uid, ownGid] = await entry("passwd", wanted);
  const gid = group === undefined ? ownGid : (await entry("group", group))[2];
  return { name, uid: numberOf(uid, wanted), gid: numberOf(gid, group ?? wanted) };
}

async function entry(database: "passwd" | "group", key: string): Promise<readonly string[]> {
  try {
    const { stdout } = await run("getent", [database, "--", key], { timeout: LOOKUP_MS });
    return stdout.trim().split(":");
  } catch (error) {
    throw unknown(`this machine has no ${database === "passwd" ? "account" : "group"} ${JSON.stringify(key)}`, error);
  }
}

function numberOf(text: string | undefined, of: string): number {
  if (text === undefined || !/^\d{1,10}$/.test(text)) throw unknown(`the entry of ${JSON.stringify(of)} has no number`);
  return Number(text);
}

const unknown = (message: string, cause?: unknown): FarmError => new FarmError("ACCOUNT_UNKNOWN", message, { cause });
