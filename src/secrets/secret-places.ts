import { SEALING_BYTES } from "./envelope.ts";

/** State keys below these hold secrets; each with what it would tell who can read the store. */
const SECRET_STATE: Readonly<Record<string, string>> = {
  /** Who has them can read recorded sessions that were resumed. */
  tickets: "session-ticket keys of the farm",
  /** Who has them can open every certificate file that they are for, wherever a copy of it is. */
  passwords: "passwords of certificate files",
};

/** First parts of the state keys whose values are sealed. */
export const SECRET_PREFIXES: readonly string[] = Object.keys(SECRET_STATE);

/** Whether a state key's value is sealed. */
export const isSecretKey = (key: string): boolean => Object.hasOwn(SECRET_STATE, key.split("/", 1)[0] ?? "");

/** What a state key's value is bound to. */
export const stateName = (key: string): string => `state/${key}`;

/** What a certificate file is bound to. */
export const certificateName = (file: string): string => `certificates/${file}`;

/** A certificate file is at most so large, before it is sealed: the central certificates read no larger ones. */
export const MAX_CERTIFICATE_BYTES = (1 << 20) + SEALING_BYTES;
