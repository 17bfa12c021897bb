import { FarmError, type Secret } from "../base/index.ts";
import { readCertificate } from "../certificates/index.ts";
import { parseFileName, type FileFacts, type PreparedCertificate } from "../pki/index.ts";
import { nameCertificate } from "./name-certificate.ts";
import type { OperationsParts } from "./parts.ts";

/** A certificate file that somebody wants served. */
export interface NewCertificate {
  /** Its name, for its format and for the host when it tells one. */
  readonly file: string;
  readonly bytes: Uint8Array;
  /** The `.key` beside it. */
  readonly keyBytes?: Uint8Array;
  readonly password?: Secret;
  /** The host or wildcard to file it under. */
  readonly host?: string;
}

/** What became of it. */
export interface AddedCertificate {
  /** Its name among the central certificates. */
  readonly file: string;
  readonly replaced: boolean;
  /** Sealed under the farm's keys, as PEM without a password. False: the file itself, as it was given. */
  readonly sealed: boolean;
  readonly facts: FileFacts;
  /** Other files there that are named for the same host: the better one is served. */
  readonly others: readonly string[];
}

const EXTENSIONS = ["pfx", "p12", "pem", "crt", "cer"];
const HAS_KEY_BESIDE = /\.(pem|crt|cer)$/i;

/**
 * Opens a certificate file, refuses what cannot be served, and puts it into the store under the name of its host: sealed, as PEM, when there is
 * a farm key; else as it is, which only a directory store takes. A file of that name is replaced.
 * @throws CERTIFICATES_FILE_REFUSED, CERTIFICATES_NAME_REFUSED, SECRETS_KEY_NEEDED and the store's errors
 */
export async function addCertificate(parts: OperationsParts, given: NewCertificate): Promise<AddedCertificate> {
  const { facts, prepared } = await openUsable(parts, given);
  const stem = nameCertificate({ leaf: facts.leaf, ...given });
  const folder = parts.store.folder("certificates");
  const sealed = parts.sealed?.secrets.source !== undefined;
  const file = `${stem}.${sealed ? "pem" : extensionOf(given, facts)}`;
  const replaced = (await folder.stat(file)) !== undefined;
  if (sealed) await folder.put(file, asPem(prepared));
  else {
    // The key first: a pair is not told apart from a certificate without a key until both are there.
    if (given.keyBytes !== undefined) await folder.put(`${stem}.key`, given.keyBytes);
    await folder.put(file, given.bytes);
  }
  parts.log.info("a certificate was added", { file, sealed, notAfter: new Date(facts.leaf.notAfter).toISOString() });
  return { file, replaced, sealed, facts, others: await othersOf(parts, stem, file) };
}

/** Removes a file of the central certificates, and the `.key` that belongs to it alone. @throws CERTIFICATES_FILE_ABSENT, the store's errors */
export async function removeCertificate(parts: OperationsParts, file: string): Promise<{ readonly removed: readonly string[] }> {
  const folder = parts.store.folder("certificates");
  if ((await folder.stat(file)) === undefined) {
    throw new FarmError("CERTIFICATES_FILE_ABSENT", `the central certificates have no file ${JSON.stringify(file)}`, { facts: { file } });
  }
  const key = HAS_KEY_BESIDE.test(file) ? `${file.slice(0, file.lastIndexOf("."))}.key` : undefined;
  await folder.remove(file);
  const removed = [file];
  if (key !== undefined && (await folder.stat(key)) !== undefined && (await othersOf(parts, key.slice(0, -4), file)).length === 0) {
    await folder.remove(key);
    removed.push(key);
  }
  parts.log.info("a certificate was removed", { files: removed });
  return { removed };
}

async function openUsable(
  parts: OperationsParts,
  given: NewCertificate,
): Promise<{ readonly facts: FileFacts; readonly prepared: PreparedCertificate }> {
  const { file, bytes, keyBytes, password } = given;
  const passwords = password === undefined ? parts.passwords.for(file) : [password];
  const key = keyBytes === undefined ? {} : { keyBytes };
  const reading = await readCertificate({ bytes, ...key, passwords, now: parts.clock.now() }, parts.workers);
  const { status, facts, prepared, problem, remedy } = reading;
  if (status === "ok" && facts !== undefined && prepared !== undefined) return { facts, prepared };
  const why =
    problem ??
    (facts === undefined
      ? status
      : `it is ${status} (${new Date(facts.leaf.notBefore).toISOString()} to ${new Date(facts.leaf.notAfter).toISOString()})`);
  throw new FarmError("CERTIFICATES_FILE_REFUSED", `${file} is ${status}: ${why}${remedy === undefined ? "" : ` ${remedy}`}`, {
    facts: { file, status },
  });
}

/** Leaf, intermediates and key in one file: nothing else of the file it came from is needed, and no password. */
const asPem = ({ chainPem, keyPem }: PreparedCertificate): Uint8Array =>
  new TextEncoder().encode(`${chainPem.trimEnd()}\n${keyPem.reveal().trimEnd()}\n`);

function extensionOf({ file }: NewCertificate, { format }: FileFacts): string {
  const told = parseFileName(file)?.format;
  if (format === "pkcs12") return told === "p12" ? "p12" : "pfx";
  return told === "crt" ? "crt" : "pem";
}

async function othersOf({ store }: OperationsParts, stem: string, file: string): Promise<readonly string[]> {
  const folder = store.folder("certificates");
  const names = EXTENSIONS.map((extension) => `${stem}.${extension}`).filter((name) => name !== file);
  const stats = await Promise.all(names.map((name) => folder.stat(name)));
  return names.filter((_name, at) => stats[at] !== undefined);
}
