import { join } from "node:path";

import { z } from "zod";

import { FarmError } from "../base/index.ts";
import { IDENTITY_ROLES } from "./join-shapes.ts";
import type { JoinAnswer } from "./join-answer.ts";
import { readPrivateFile, savePrivateFile } from "./private-folder.ts";

const path = z.string().min(1).max(4_096);

const shape = z.object({
  version: z.literal(1),
  role: z.enum(IDENTITY_ROLES),
  name: z.string(),
  /** Admin APIs that renew the identity. */
  admin: z.array(z.string()).max(16),
  store: z.object({
    place: path,
    passwordFile: path.optional(),
    caFile: path.optional(),
    certFile: path.optional(),
    keyFile: path.optional(),
    blobs: path.optional(),
  }),
  farmKeyFile: path.optional(),
});

/** What a process starts with, in its own folder: no secrets, only the files that hold them. */
export type JoinFile = z.output<typeof shape>;

const FILE = "join.json";

/** `join.json` of a process's folder; undefined = it never joined a farm. @throws IDENTITY_FOLDER_UNUSABLE */
export async function readJoinFile(dataDir: string): Promise<JoinFile | undefined> {
  const file = join(dataDir, FILE);
  const text = await readPrivateFile(file);
  if (text === undefined) return undefined;
  try {
    return shape.parse(JSON.parse(text));
  } catch (cause) {
    throw new FarmError("IDENTITY_FOLDER_UNUSABLE", `${file} is damaged`, { facts: { path: file }, cause });
  }
}

/** Writes the secrets of an answer into files of mode 0600 in the process's folder, and `join.json` that names them. @throws IDENTITY_FOLDER_UNUSABLE */
export async function writeJoinFile(
  dataDir: string,
  { answer, admin, place }: { answer: JoinAnswer; admin: string; place?: string },
): Promise<JoinFile> {
  const { role, name, store, farmKey } = answer;
  const keep = async (file: string, content: string | undefined): Promise<string | undefined> => {
    if (content === undefined) return undefined;
    await savePrivateFile(join(dataDir, "store-access", file), content);
    return join(dataDir, "store-access", file);
  };
  const settings = {
    place: place ?? store.place,
    blobs: store.blobs,
    passwordFile: await keep("password", store.password),
    caFile: await keep("ca.pem", store.ca),
    certFile: await keep("cert.pem", store.cert),
    keyFile: await keep("key.pem", store.key),
  };
  const farmKeyFile = await keep("farm-key", farmKey === undefined ? undefined : keyText(farmKey));
  const file = shape.parse({ version: 1, role, name, admin: [admin], store: settings, farmKeyFile });
  await savePrivateFile(join(dataDir, FILE), `${JSON.stringify(file, null, 2)}\n`);
  return file;
}

/** A farm key of 32 raw octets is kept in base64, which is taken as well; one in base64 already, as it is. */
function keyText(base64: string): string {
  const bytes = Buffer.from(base64, "base64");
  return bytes.byteLength === 32 ? base64 : bytes.toString("utf8");
}
