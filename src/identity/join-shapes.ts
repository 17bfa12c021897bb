import { z } from "zod";

/** Every role, in the order of docs/identity.md. */
export const IDENTITY_ROLES = ["node", "balancer", "admin"] as const;

/** Paths of the admin API's two routes that processes call themselves. */
export const JOIN_PATH = "/v1/identities/join";
export const RENEW_PATH = "/v1/identities/renew";

const pem = z.string().min(1).max(32_768);
const text = z.string().max(65_536).optional();

/** A certificate and the authorities that are trusted from then on, PEM. */
export const issuedShape = z.object({ certificatePem: pem, authorityPem: pem });

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
