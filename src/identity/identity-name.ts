import { FarmError } from "../base/index.ts";
import type { IdentityRole } from "./types.ts";

/** A pattern of names: those that farm.yaml gives nodes. Nothing in them could end a part of the URI. */
export const IDENTITY_NAME = "[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?";

const WHOLE = new RegExp(`^${IDENTITY_NAME}$`);

/** @throws IDENTITY_NAME_INVALID */
export function requireIdentityName(name: string): string {
  if (WHOLE.test(name)) return name;
  throw new FarmError("IDENTITY_NAME_INVALID", `${JSON.stringify(name.slice(0, 100))} cannot be an identity's name`);
}

/** The URI by which a certificate names a process of the farm. */
export const identityUri = ({ farmId, role, name }: { farmId: string; role: IdentityRole; name: string }): string =>
  `urn:certfarm:${farmId}:${role}:${name}`;
