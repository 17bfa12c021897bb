import { randomBytes } from "node:crypto";
import { open, unlink } from "node:fs/promises";

import { FarmError, systemCode } from "../base/index.ts";
import { FARM_KEY_BYTES, parseFarmKey, type FarmKey } from "./farm-key.ts";

/** Writes a new farm key, in base64, to a file of mode 0600 that must not exist. @throws SECRETS_KEY_EXISTS, SECRETS_KEY_INVALID */
export async function makeFarmKeyFile(path: string): Promise<Pick<FarmKey, "id">> {
  const text = `${randomBytes(FARM_KEY_BYTES).toString("base64")}\n`;
  const file = await open(path, "wx", 0o600).catch((error: unknown) => {
    if (systemCode(error) === "EEXIST")
      throw new FarmError("SECRETS_KEY_EXISTS", `${path} is there already; nothing was written`, { facts: { path } });
    throw new FarmError("SECRETS_KEY_INVALID", `${path} cannot be made (${systemCode(error) ?? "unknown"})`, {
      facts: { path },
      cause: error,
    });
  });
  try {
    await file.writeFile(text);
    await file.sync();
  } catch (error) {
    await unlink(path).catch(() => {}); // half a key is none
    throw new FarmError("SECRETS_KEY_INVALID", `${path} cannot be written (${systemCode(error) ?? "unknown"})`, {
      facts: { path },
      cause: error,
    });
  } finally {
    await file.close();
  }
  return { id: parseFarmKey(Buffer.from(text), path).id };
}
