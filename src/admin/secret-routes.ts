import { z } from "zod";

import { route } from "./route.ts";
import { fileFactsShape, list } from "./shapes.ts";

const maybe = <T extends z.ZodType>(item: T) => z.exactOptional(item);
const none = z.strictObject({});
const file = z.string().min(1).max(255);
const by = maybe(z.string().min(1).max(200));
/** Base64 of at most 1 MiB. */
const contents = z.base64().max(1_398_104);
const password = z.string().max(1_000);
const at = z.number();

const passwordShape = z.object({ id: z.string(), files: maybe(z.string()), by: z.string(), at });
const farmKeyChangeShape = z.object({
  farmKeys: list(z.string()).describe("Ids of the farm keys in use, the newest last"),
  waiting: list(z.string()).describe("Nodes that did not tell of the newest one yet"),
});

/** Certificates that are put in and taken out, and the keys that they are sealed under. */
export const SECRET_ROUTES = {
  "certificates.add": route({
    call: "POST /v1/certificates",
    role: "operator",
    summary: "Puts a certificate file under its host's name, sealed when the farm has a farm key; refuses what cannot be served",
    input: z.strictObject({
      file: file.describe("Its name, for the format and the host"),
      bytes: contents,
      keyBytes: maybe(contents).describe("The .key beside it"),
      password: maybe(password),
      host: maybe(z.string().min(1).max(260)),
    }),
    hidden: ["bytes", "keyBytes", "password"],
    output: z.object({ file: z.string(), replaced: z.boolean(), sealed: z.boolean(), facts: fileFactsShape, others: list(z.string()) }),
  }),
  "certificates.remove": route({
    call: "DELETE /v1/certificates/{file}",
    role: "operator",
    summary: "Removes a certificate file, with the key file that belongs to it alone",
    input: z.strictObject({ file }),
    output: z.object({ removed: list(z.string()) }),
  }),
  "secrets.status": route({
    call: "GET /v1/secrets",
    role: "viewer",
    summary: "The farm's keys by id and age, and which farm key each node has; never a key",
    input: none,
    output: z.object({
      sealed: z.boolean(),
      source: maybe(z.string()).describe("Where the admin API's farm key comes from"),
      farmKey: maybe(z.string()),
      problem: maybe(z.string()),
      farmKeys: list(z.object({ id: z.string(), addedAt: at })),
      dataKeys: list(z.object({ generation: z.number(), madeAt: at })),
      holders: list(z.object({ name: z.string(), farmKey: z.string(), at })),
    }),
  }),
  "secrets.rotate": route({
    call: "POST /v1/secrets/rotate",
    role: "admin",
    summary: "Seals everything anew under a new data key, or goes on with doing so, and drops the former ones",
    input: z.strictObject({ sealFiles: maybe(z.boolean()).describe("Also certificate files that are in the clear") }),
    progress: z.object({ done: z.number(), total: z.number(), resealed: z.number() }),
    output: z.object({
      generation: z.number(),
      resealed: z.number(),
      plain: z.number(),
      removed: list(z.string()),
      unreadable: list(z.object({ name: z.string(), problem: z.string() })),
      dropped: list(z.number()),
      finished: z.boolean(),
    }),
  }),
  "secrets.beginFarmKeyChange": route({
    call: "POST /v1/secrets/farm-key",
    role: "admin",
    summary: "Wraps the data keys under a new farm key as well; both open them from then on",
    input: z.strictObject({ key: z.base64().max(64).describe("32 octets in base64") }),
    hidden: ["key"],
    output: farmKeyChangeShape,
  }),
  "secrets.endFarmKeyChange": route({
    call: "DELETE /v1/secrets/farm-key",
    role: "admin",
    summary: "Takes the former farm key away, once every node has the new one",
    input: z.strictObject({ force: maybe(z.enum(["true"])).describe("Although nodes did not tell of it") }),
    output: farmKeyChangeShape,
  }),
  "secrets.passwords": route({
    call: "GET /v1/secrets/passwords",
    role: "operator",
    changes: false,
    summary: "Passwords of certificate files that the farm keeps, without the passwords",
    input: none,
    output: z.object({ passwords: list(passwordShape) }),
  }),
  "secrets.addPassword": route({
    call: "POST /v1/secrets/passwords",
    role: "admin",
    summary: "Keeps a password of certificate files, sealed, for every node",
    input: z.strictObject({ password: password.min(1), files: maybe(z.string().min(1).max(255)), by }),
    hidden: ["password"],
    output: passwordShape,
  }),
  "secrets.removePassword": route({
    call: "DELETE /v1/secrets/passwords/{id}",
    role: "admin",
    summary: "Forgets a password that the farm keeps",
    input: z.strictObject({ id: z.string().min(1).max(40) }),
    output: z.object({ id: z.string() }),
  }),
  "secrets.newKey": route({
    call: "POST /v1/secrets/new-key",
    role: "viewer",
    summary: "Writes a new farm key to a file of the caller's machine, which must not exist",
    input: z.strictObject({ file: z.string().min(1).max(4_096) }),
    output: z.object({ id: z.string() }),
    place: "here",
  }),
};
