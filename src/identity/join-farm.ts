import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";

import { FarmError, type Clock, type Secret } from "../base/index.ts";
import { askPinned } from "./ask-admin.ts";
import { openIdentity, saveIdentity } from "./identity-folder.ts";
import { makeIdentityKey, requestFor, type IdentityKey } from "./identity-key.ts";
import type { JoinAnswer } from "./join-answer.ts";
import { readJoinFile, writeJoinFile } from "./join-file.ts";
import { joinAnswerShape } from "./join-shapes.ts";
import { parseJoinToken, type JoinToken } from "./join-token.ts";
import { readPrivateFile, savePrivateFile, unusable } from "./private-folder.ts";
import type { Identity, IdentityRole } from "./types.ts";
import { verifyIdentity } from "./verify-identity.ts";

/** What a machine that joins is told by its operator. */
export interface JoinRequest {
  /** `https://HOST:PORT` of the admin API. */
  readonly url: string;
  readonly token: Secret;
  /** As what the command joins. */
  readonly role: IdentityRole;
  /** Where the process keeps its things. Absent: `certfarm-data/NAME`. */
  readonly data: (name: string) => string;
  /** Where this machine reaches the store, when it is another place than the admin's. */
  readonly place?: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** A machine that joined. */
export interface Joined {
  /** `already`: it had joined as the same; nothing was changed. */
  readonly kind: "joined" | "already";
  readonly role: IdentityRole;
  readonly name: string;
  readonly data: string;
  readonly store: string;
}

/** The key of a join that is under way: kept until it is over, so that the same token can be presented again. */
const PENDING = "joining.pem";

/**
 * Makes this machine a member of a farm: a key of its own, a certificate for it, and everything that it needs to enter the store, in its
 * folder. Ended at any point it can be run again with the same token. @throws IDENTITY_…, ADMIN_NOT_RUNNING, USAGE
 */
export async function joinFarm(request: JoinRequest): Promise<Joined> {
  const { url, role, clock, signal } = request;
  const token = parseJoinToken(request.token);
  if (token.role !== role) {
    throw new FarmError(
      "IDENTITY_TOKEN_NAME_WRONG",
      `the join token is for ${token.role} ${token.name}: use \`certfarm ${token.role} join\``,
    );
  }
  const data = request.data(token.name);
  const present = await openIdentity(data);
  if (present !== undefined) return alreadyJoined(data, present, token);
  const pending = await pendingKey(data, `${role} ${token.name}`);
  const body = { token: request.token.reveal().trim(), request: pending.requestPem };
  const answer = readAnswer(await askPinned(url, { token, clock, body, signal }), { token, key: pending, clock });
  const file = await writeJoinFile(data, {
    answer,
    admin: new URL(url).origin,
    ...(request.place === undefined ? {} : { place: request.place }),
  });
  await saveIdentity(data, { ...answer, keyPem: pending.keyPem });
  await rm(join(data, PENDING), { force: true });
  return { kind: "joined", role, name: token.name, data, store: file.store.place };
}

/** @throws IDENTITY_EXISTS when it is somebody else */
async function alreadyJoined(data: string, { farmId, role, name }: Identity, token: JoinToken): Promise<Joined> {
  const file = await readJoinFile(data);
  if (farmId !== token.farmId || role !== token.role || name !== token.name || file === undefined) {
    throw new FarmError("IDENTITY_EXISTS", `${data} holds the identity of ${role} ${name} in farm ${farmId}`, { facts: { path: data } });
  }
  await rm(join(data, PENDING), { force: true });
  return { kind: "already", role, name, data, store: file.store.place };
}

async function pendingKey(data: string, who: string): Promise<IdentityKey> {
  const file = join(data, PENDING);
  const kept = await readPrivateFile(file);
  if (kept === undefined) {
    const made = await makeIdentityKey(who);
    await savePrivateFile(file, made.keyPem.reveal());
    return made;
  }
  try {
    return requestFor(createPrivateKey(kept), who);
  } catch (cause) {
    throw unusable(file, "it is damaged; remove it and join with a new token", cause);
  }
}

/** @throws IDENTITY_SERVER_UNTRUSTED when the answer is not for this token and this key */
function readAnswer(value: unknown, { token, key, clock }: { token: JoinToken; key: IdentityKey; clock: Clock }): JoinAnswer {
  const answer = joinAnswerShape.safeParse(value);
  if (!answer.success)
    throw new FarmError("ADMIN_ANSWER_UNUSABLE", "the admin API's answer to the join has another form; are both of the same version?");
  const { certificatePem, authorityPem } = answer.data;
  const verdict = verifyIdentity(certificatePem, { authorityPem, farmId: token.farmId, revoked: new Set(), now: clock.now() });
  if ("reason" in verdict)
    throw new FarmError("IDENTITY_SERVER_UNTRUSTED", `the certificate that was answered is not believed: ${verdict.problem}`);
  const isOurs = new X509Certificate(certificatePem).publicKey.equals(createPublicKey(key.key));
  if (verdict.role !== token.role || verdict.name !== token.name || !isOurs) {
    throw new FarmError(
      "IDENTITY_SERVER_UNTRUSTED",
      `the certificate that was answered is for ${verdict.role} ${verdict.name} or for another key`,
    );
  }
  return answer.data;
}
