import { FarmError, type Instant } from "../base/index.ts";
import { isStatement, readStatement, signAs, trustOf, verifyStatement, type Signing, type StatementRefusal } from "../identity/index.ts";
import type { Store } from "../store/index.ts";

/** What somebody says to the whole farm under one of its keys. */
export interface FarmSaying {
  readonly kind: "revision" | "content" | "drain";
  /** Which one: a revision's number, a folder, a node. */
  readonly id: string;
  readonly at: Instant;
  readonly body: Uint8Array;
}

/** A saying as it stands in the store. */
export type HeardSaying =
  | {
      readonly kind: "heard";
      readonly body: Uint8Array;
      /** Who signed it; absent in a farm without identities. */
      readonly signer?: Signer;
      readonly issuedAt?: Instant;
    }
  /** Nobody who may has signed it. `body` is what it says all the same. */
  | (Omit<StatementRefusal, "kind"> & { readonly kind: "refused"; readonly body: Uint8Array | undefined });

/** The admin who signed. */
export interface Signer {
  readonly name: string;
  /** Of the certificate, upper-case hexadecimal. */
  readonly serial: string;
}

const EVERYBODY = "farm";
const AUTHORITY_KEY = "identity/trust/authority";

/** The saying as it is stored: signed when the farm has identities. @throws SIGNING_ROLE_WRONG when this process may not say it */
export function writeSaying(signing: Signing | undefined, { kind, id, at, body }: FarmSaying): Uint8Array {
  if (signing === undefined) return body;
  const { role, name } = signing.identity();
  if (role !== "admin") throw roleWrong(`the ${role} ${name} may not`);
  return signAs(signing, { kind, to: EVERYBODY, id, issuedAt: at, notAfter: undefined, body });
}

/** What is stored, as far as it is believed. In a farm with identities only what an admin of it signed is. */
export function readSaying(signing: Signing | undefined, { kind, id }: Pick<FarmSaying, "kind" | "id">, value: Uint8Array): HeardSaying {
  const body = isStatement(value) ? readStatement(value)?.statement.body : value;
  if (signing === undefined) return body === undefined ? { kind: "refused", ...TORN, body } : { kind: "heard", body };
  const seen = (other: string): boolean => other !== id;
  const read = verifyStatement(value, { kind, to: EVERYBODY, role: "admin", trust: trustOf(signing), seen });
  if (read.kind === "refused") return { ...read, body };
  const { statement, signer } = read;
  return { kind: "heard", body: statement.body, signer: { name: signer.name, serial: signer.serial }, issuedAt: statement.issuedAt };
}

const TORN = { reason: "malformed", problem: "it is no whole statement" } as const;

/** Keeps who has no identity from changing a farm where that is needed: its nodes would refuse it. @throws SIGNING_ROLE_WRONG */
export async function requireAuthorship(state: Store, signing: Signing | undefined): Promise<void> {
  if (signing === undefined && (await hasAuthority(state))) throw roleWrong("this one has none");
}

/** Whether the farm has identities. Only a hint for those who have none themselves: a key of the store is no proof. */
export const hasAuthority = async (state: Store): Promise<boolean> => (await state.read(AUTHORITY_KEY)) !== undefined;

const roleWrong = (who: string): FarmError =>
  new FarmError("SIGNING_ROLE_WRONG", `this farm is changed by processes with an admin identity only, and ${who}`);
