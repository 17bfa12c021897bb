import { readFile } from "node:fs/promises";

import { z } from "zod";

import { FarmError, systemCode } from "../base/index.ts";
import type { StoreSettings } from "../store/index.ts";
import { IDENTITY_ROLES } from "./identity-name.ts";

const pem = z.string().min(1).max(32_768);

/** A certificate and the authorities that are trusted from then on, PEM. */
export const issuedShape = z.object({ certificatePem: pem, authorityPem: pem });

const text = z.string().max(65_536).optional();

/** What a machine that joins is told: who it is, and how it enters the store. */
export const joinAnswerShape = issuedShape.extend({
  role: z.enum(IDENTITY_ROLES),
  name: z.string(),
  store: z.object({
    place: z.string().min(1).max(4_096),
    blobs: z.string().max(4_096).optional(),
    /** Contents of the files that StoreSettings names. */
    password: text,
    ca: text,
    cert: text,
    key: text,
  }),
  /** The farm key's file, base64. */
  farmKey: text,
});

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
