import { createPrivateKey } from "node:crypto";

import { instant, Secret } from "../../base/index.ts";
import { createAuthority, type Authority, type IssuedCertificate, type IssueRequest } from "../issue/authority.ts";
import { pemBlocks } from "../pem/blocks.ts";
import { readCertificateFile } from "../read-certificate-file.ts";
import type { FileInput, FileReading } from "../types.ts";

/** The moment that tests read files at: after everything that tools make while the tests run. */
export const now = instant(Date.now() + 60_000);

/** Reads a file with the given passwords. */
export function read(bytes: Uint8Array, passwords: readonly string[] = [], more: Partial<FileInput> = {}): Promise<FileReading> {
  return readCertificateFile({ bytes, passwords: passwords.map((password) => new Secret(password)), now, ...more });
}

/** A certificate in the forms that tests build files from. */
export interface Sample extends IssuedCertificate {
  readonly pkcs8: Uint8Array;
  /** Intermediates after the leaf, DER. */
  readonly issuers: readonly Uint8Array[];
}

/** An authority and the samples that it issues. */
export class Issuing {
  readonly #authority: Promise<Authority>;

  constructor(intermediate = false) {
    this.#authority = createAuthority({ name: "Test CA", now: instant(Date.now()), intermediate });
  }

  async rootDer(): Promise<Uint8Array> {
    const { certificatePem } = await this.#authority;
    return [...pemBlocks(Buffer.from(certificatePem))][0]?.bytes ?? new Uint8Array(0);
  }

  async issue(request: IssueRequest): Promise<Sample> {
    const issued = await (await this.#authority).issue(request);
    const pkcs8 = createPrivateKey(issued.keyPem.reveal()).export({ type: "pkcs8", format: "der" });
    const [, ...issuers] = [...pemBlocks(Buffer.from(issued.chainPem))].map((block) => block.bytes);
    return { ...issued, pkcs8, issuers };
  }
}
