import { z } from "zod";

import { IDENTITY_ROLES, issuedShape, joinAnswerShape, JOIN_PATH, RENEW_PATH } from "../identity/join-shapes.ts";
import { route } from "./route.ts";
import { list } from "./shapes.ts";

const maybe = <T extends z.ZodType>(item: T) => z.exactOptional(item);
const at = z.number();
const role = z.enum(IDENTITY_ROLES);
const name = z.string().min(1).max(63);
/** PKCS#10, PEM. */
const request = z.string().min(1).max(16_384);
const MINUTE = 60_000;
const WEEK = 7 * 24 * 60 * MINUTE;

const listedShape = z.object({
  role,
  name,
  serial: z.string(),
  state: z.enum(["good", "expired", "revoked"]),
  at,
  notAfter: at,
  by: z.string(),
});

/** Who is who in a farm of many machines. */
export const IDENTITY_ROUTES = {
  "identities.list": route({
    call: "GET /v1/identities",
    role: "viewer",
    summary: "Certificates that the farm's authority signed for processes, and how they stand",
    input: z.strictObject({}),
    output: z.object({ identities: list(listedShape) }),
  }),
  "identities.token": route({
    call: "POST /v1/identities/tokens",
    role: "admin",
    summary: "A token with which one machine can join under this name, once",
    input: z.strictObject({ role, name, ttlMs: z.number().int().min(MINUTE).max(WEEK) }),
    output: z.object({ token: z.string(), role, name, expiresAt: at, already: list(z.string()) }),
  }),
  "identities.join": route({
    call: `POST ${JOIN_PATH}`,
    role: "newcomer",
    summary: "An identity for the key of a machine that has a join token, and how it enters the store",
    input: z.strictObject({ token: z.string().min(1).max(1_000), request }),
    hidden: ["token", "request"],
    output: joinAnswerShape,
  }),
  "identities.renew": route({
    call: `POST ${RENEW_PATH}`,
    role: "member",
    summary: "The next certificate for the caller, by its present one",
    input: z.strictObject({ request }),
    hidden: ["request"],
    output: issuedShape,
  }),
  "identities.revoke": route({
    call: "POST /v1/identities/revoke",
    role: "admin",
    summary: "Every process refuses an identity from now on",
    input: z.strictObject({
      what: z.string().min(1).max(100).describe("A name, ROLE/NAME, or a serial"),
      reason: maybe(z.string().max(300)),
    }),
    output: z.object({ revoked: list(listedShape) }),
  }),
};
