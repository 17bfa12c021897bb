import { readFile } from "node:fs/promises";

import type { z } from "zod";

import { FarmError, systemCode } from "../base/index.ts";
import type { StoreSettings } from "../store/index.ts";
import type { joinAnswerShape } from "./join-shapes.ts";

/** What a machine that joins is told. Holds secrets: it goes over TLS to one machine, and is never logged. */
export type JoinAnswer = z.output<typeof joinAnswerShape>;

/** Everything of the answer that does not depend on who asks. */
export type JoinHandout = Pick<JoinAnswer, "store" | "farmKey">;

/** Reads what this process itself enters the store with. @throws IDENTITY_FOLDER_UNUSABLE naming the file */
export async function readHandout(settings: StoreSettings, farmKeyFile: string | undefined): Promise<JoinHandout> {
  const { place, blobs, passwordFile, caFile, certFile, keyFile } = settings;
  const store = {
    place,
    blobs,
    password: await read(passwordFile),
    ca: await read(caFile),
    cert: await read(certFile),
    key: await read(keyFile),
  };
  const farmKey = farmKeyFile === undefined ? undefined : Buffer.from(await readWhole(farmKeyFile)).toString("base64");
  return { store, farmKey };
}

const read = async (path: string | undefined): Promise<string | undefined> =>
  path === undefined ? undefined : Buffer.from(await readWhole(path)).toString("utf8");

async function readWhole(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new FarmError("IDENTITY_FOLDER_UNUSABLE", `${path}: ${systemCode(cause) ?? String(cause)}`, { facts: { path }, cause });
  }
}
