import { Secret } from "../base/index.ts";
import {
  checkCertificateFiles,
  fixedPasswords,
  listCertificates,
  noPasswords,
  openPasswords,
  type CheckedFile,
  type FileListing,
} from "../certificates/index.ts";
import { instant, type Clock, type Log } from "../base/index.ts";
import type { WorkerSettings } from "../certificates/index.ts";
import type { OperationsParts } from "./parts.ts";

/** What checking files of this machine needs: no farm. */
export interface CheckParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly workers?: WorkerSettings;
}

/** Files of this machine. */
export interface CheckRequest {
  readonly files: readonly string[];
  /** A file whose first line is the password. */
  readonly passwordFile?: string;
  readonly password?: Secret;
  readonly signal?: AbortSignal;
}

/** Opens files of this machine and says what each is. @throws CERTIFICATES_PASSWORDS_INVALID, CANCELLED */
export async function checkFilesHere(parts: CheckParts, request: CheckRequest): Promise<readonly CheckedFile[]> {
  const { files, passwordFile, password, signal } = request;
  const environment = passwordFile === undefined ? undefined : { CERTFARM_PFX_PASSWORD_FILE: passwordFile };
  const given = password === undefined ? noPasswords : fixedPasswords([password]);
  const passwords = environment === undefined ? given : await openPasswords({ environment, log: parts.log });
  return checkCertificateFiles(files, {
    passwords,
    now: instant(parts.clock.now()),
    ...(signal === undefined ? {} : { signal }),
    ...(parts.workers === undefined ? {} : { workers: parts.workers }),
  });
}

/** What to list. */
export interface ListRequest {
  /** A host name, or a pattern of file names. */
  readonly filter?: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
}

/** Every central certificate file with its status. @throws STORE_UNAVAILABLE, CANCELLED */
export async function* listFiles(parts: OperationsParts, request: ListRequest): AsyncGenerator<FileListing> {
  await parts.passwords.refresh();
  yield* listCertificates({
    folder: parts.store.folder("certificates"),
    passwords: parts.passwords,
    now: parts.clock.now(),
    ...request,
    ...(parts.workers === undefined ? {} : { workers: parts.workers }),
  });
}
