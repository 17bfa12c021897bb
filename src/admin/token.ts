import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

import { FarmError, Secret, systemCode } from "../base/index.ts";
import { parseToken } from "./token-text.ts";

/** Checks what a caller presents. */
export type TokenCheck = (presented: string | undefined) => boolean;

/** Reads the token file, or makes it (0600) with 256 random bits when there is none. @throws ADMIN_FILES_UNUSABLE */
export async function openToken(path: string): Promise<Secret> {
  try {
    return await readToken(path);
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw unusable(path, error);
  }
  try {
    await writePrivately(path, `${randomBytes(32).toString("base64url")}\n`);
    return await readToken(path);
  } catch (error) {
    throw unusable(path, error);
  }
}

/** Writes a file that only this account can read, whole or not at all. */
export async function writePrivately(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    await writeFile(temporary, text, { mode: 0o600, flag: "wx" });
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Compares in constant time: digests, so that the length says nothing either. */
export function createTokenCheck(token: Secret): TokenCheck {
  const wanted = digest(token.reveal());
  return (presented) => timingSafeEqual(digest(presented ?? ""), wanted) && presented !== undefined;
}

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

async function readToken(path: string): Promise<Secret> {
  const token = parseToken(await readFile(path, "utf8"));
  if (token === undefined) throw new FarmError("ADMIN_FILES_UNUSABLE", `${path} holds no token`);
  return token;
}

function unusable(path: string, error: unknown): FarmError {
  if (error instanceof FarmError) return error;
  return new FarmError("ADMIN_FILES_UNUSABLE", `${path} cannot be used: ${systemCode(error) ?? String(error)}`, { cause: error });
}
