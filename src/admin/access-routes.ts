import { z } from "zod";

import { route } from "./route.ts";
import { list } from "./shapes.ts";
import { TOKEN_ROLES } from "./token-record.ts";

const maybe = <T extends z.ZodType>(item: T) => z.exactOptional(item);
const whole = (least: number, most: number) => z.coerce.number<number>().int().min(least).max(most);
const at = z.number();
const MOST_ENTRIES = 1_000;
const TEN_YEARS_MS = 315_576_000_000;

const tokenName = z
  .string()
  .regex(/^[A-Za-z0-9](?:[A-Za-z0-9._@-]{0,62}[A-Za-z0-9])?$/, "1 to 64 letters, digits, dots, hyphens, underscores and @")
  .describe("Whose it is, or what it is for");
const tokenShape = z.object({
  id: z.string(),
  name: z.string(),
  role: z.enum(TOKEN_ROLES),
  by: z.string(),
  at,
  expiresAt: maybe(at),
});

const entryShape = z.object({
  seq: z.number(),
  at,
  caller: z.object({ name: z.string(), role: z.string(), by: z.string() }),
  action: z.string(),
  target: z.string(),
  phase: z.enum(["begun", "ended", "noted"]),
  of: maybe(z.number()).describe("The entry that began it, or that it is a part of"),
  outcome: maybe(z.enum(["done", "refused", "failed"])),
  detail: maybe(z.string()),
  id: z.string(),
  previous: z.string().describe("SHA-256 of the entry before"),
});
const placeShape = z.object({ seq: z.number(), digest: z.string() });
const verdictShape = z.object({
  isWhole: z.boolean(),
  broken: maybe(
    z.object({ seq: z.number(), kind: z.enum(["changed", "missing", "reordered", "cut", "forged", "unsigned"]), text: z.string() }),
  ).describe("The first entry that is not as it was written"),
  from: z.number(),
  end: placeShape.describe("Note it outside of the store: given as `pin` it proves later that nothing up to here was changed or cut off"),
  entries: z.number(),
  signed: z.number(),
  unknownSigners: z.number(),
  open: list(entryShape).describe("Changes that were begun and whose end is not in the log"),
});
const pin = z
  .string()
  .regex(/^\d{1,12}:[0-9a-f]{64}$/, "SEQ:DIGEST")
  .describe("An end of the log that was noted: SEQ:DIGEST");

/** Routes of who may use the admin API, and of what was done with it. */
export const ACCESS_ROUTES = {
  "token.add": route({
    call: "POST /v1/tokens",
    role: "admin",
    summary: "Makes a token for the admin API; the answer is the only place where it is told",
    input: z.strictObject({
      name: tokenName,
      role: z.enum(TOKEN_ROLES),
      ttlMs: maybe(z.number().int().min(1_000).max(TEN_YEARS_MS)).describe("How long it is good for; absent = until it is revoked"),
    }),
    output: tokenShape.extend({ token: z.string() }),
  }),
  "token.list": route({
    call: "GET /v1/tokens",
    role: "admin",
    changes: false,
    summary: "Tokens by name, without what proves them",
    input: z.strictObject({}),
    output: z.object({ tokens: list(tokenShape) }),
  }),
  "token.revoke": route({
    call: "DELETE /v1/tokens/{which}",
    role: "admin",
    summary: "Ends a token; other admin APIs of the farm take it for two more seconds at most",
    input: z.strictObject({ which: z.string().min(1).max(64).describe("Its name or id") }),
    output: tokenShape,
  }),
  "audit.list": route({
    call: "GET /v1/audit",
    role: "viewer",
    summary: "Entries of the audit log in order: the newest, or those after one",
    input: z.strictObject({ after: maybe(whole(0, 1e12)), limit: maybe(whole(1, MOST_ENTRIES)) }),
    output: z.object({ entries: list(entryShape), head: placeShape }),
  }),
  "audit.verify": route({
    call: "GET /v1/audit/verify",
    role: "viewer",
    summary: "Verifies the audit log from its first entry to its last",
    input: z.strictObject({ pin: maybe(pin) }),
    output: verdictShape,
  }),
  "audit.export": route({
    call: "GET /v1/audit/export",
    role: "viewer",
    summary: "The entries that the store holds with the octets that digests and signatures are of, one in each line of progress",
    input: z.strictObject({ after: maybe(whole(0, 1e12)) }),
    progress: z.object({ entry: maybe(entryShape), digest: maybe(z.string()), record: z.string().describe("Base64") }),
    output: z.object({ entries: z.number(), head: placeShape }),
  }),
  "audit.verifyFiles": route({
    call: "POST /v1/audit/verify-files",
    role: "viewer",
    summary: "Verifies exported parts of an audit log that are files of the caller's own machine",
    input: z.strictObject({
      files: z.array(z.string().min(1).max(4_096)).min(1).max(10_000),
      pin: maybe(pin),
      authorityPem: maybe(z.string().max(64 * 1024)).describe("The farm's authority; without it signatures are not checked"),
    }),
    output: verdictShape,
    place: "here",
  }),
} as const;
