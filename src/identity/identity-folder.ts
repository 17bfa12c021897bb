import { createPrivateKey, X509Certificate, type KeyObject } from "node:crypto";
import { join } from "node:path";

import type { Secret } from "../base/index.ts";
import { nextOf, readPrivateFile, saveFolder, unusable } from "./private-folder.ts";
import type { Identity } from "./types.ts";
import { nameOf } from "./verify-identity.ts";

/** What is kept of an identity. */
export interface IdentityFiles {
  readonly certificatePem: string;
  /** PKCS#8. */
  readonly keyPem: Secret;
  readonly authorityPem: string;
}

const CERTIFICATE = "certificate.pem";
const KEY = "key.pem";
const AUTHORITY = "authority.pem";
const MAX_TRIES = 5;

const identityFolder = (dataDir: string): string => join(dataDir, "identity");

/**
 * The identity that a process keeps in its folder: `identity/certificate.pem`, `key.pem` and `authority.pem`. undefined = there is none. One
 * that is being replaced is read as it was before or as it is after. @throws IDENTITY_FOLDER_UNUSABLE
 */
export async function openIdentity(dataDir: string): Promise<Identity | undefined> {
  const folder = identityFolder(dataDir);
  for (let tries = 1; ; tries += 1) {
    try {
      // Twice: between two looks the next one may have become the present one.
      return (await readEither(folder)) ?? (await readEither(folder));
    } catch (error) {
      if (tries === MAX_TRIES) throw error; // earlier, the folder may have been replaced between two reads
    }
  }
}

const readEither = async (folder: string): Promise<Identity | undefined> => (await readFolder(nextOf(folder))) ?? readFolder(folder);

async function readFolder(folder: string): Promise<Identity | undefined> {
  const [certificatePem, keyPem, authorityPem] = await Promise.all(
    [CERTIFICATE, KEY, AUTHORITY].map((name) => readPrivateFile(join(folder, name))),
  );
  if (certificatePem === undefined && keyPem === undefined && authorityPem === undefined) return undefined;
  if (certificatePem === undefined || keyPem === undefined || authorityPem === undefined) {
    throw unusable(folder, `one of ${CERTIFICATE}, ${KEY} and ${AUTHORITY} is missing`);
  }
  const { certificate, key } = readPair(folder, certificatePem, keyPem);
  const named = nameOf(certificate);
  if (named === undefined) throw unusable(folder, `${CERTIFICATE} is no identity of a farm`);
  if (!certificate.checkPrivateKey(key)) throw unusable(folder, `${KEY} is not the key of ${CERTIFICATE}`);
  return { ...named, certificatePem, key, authorityPem };
}

function readPair(
  folder: string,
  certificatePem: string,
  keyPem: string,
): { readonly certificate: X509Certificate; readonly key: KeyObject } {
  try {
    return { certificate: new X509Certificate(certificatePem), key: createPrivateKey(keyPem) };
  } catch (cause) {
    throw unusable(folder, `${CERTIFICATE} or ${KEY} is damaged`, cause);
  }
}

/** Replaces the identity of a process whole: a crash leaves the old one or the new one, each with its own key. @throws IDENTITY_FOLDER_UNUSABLE */
export async function saveIdentity(dataDir: string, { certificatePem, keyPem, authorityPem }: IdentityFiles): Promise<void> {
  await saveFolder(identityFolder(dataDir), { [KEY]: keyPem.reveal(), [AUTHORITY]: authorityPem, [CERTIFICATE]: certificatePem });
}
