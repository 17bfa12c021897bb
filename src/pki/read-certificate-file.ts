import { FarmError, toFarmError } from "../base/index.ts";
import type { Contents } from "./contents.ts";
import { judge } from "./judgement.ts";
import { DEFAULT_LIMITS, WorkBudget } from "./limits.ts";
import { isPfx, LooseReading, refuseUnknown } from "./loose-file.ts";
import { KeyRing } from "./passwords.ts";
import { hasPemBlocks } from "./pem/blocks.ts";
import { readPfx } from "./pkcs12/read-pfx.ts";
import { REMEDIES, STATUS_OF } from "./remedies.ts";
import { malformed, readValue, toDefinite, type Tlv } from "./tlv.ts";
import type { FileInput, FileReading, ReadLimits } from "./types.ts";

/**
 * Reads a certificate file by its content: PKCS#12, PEM or DER. Never throws for what a file holds: the outcome has a
 * status, and where it is not `ok` the problem and what to do.
 * Key derivation runs in the thread pool or in slices; parsing holds the event loop for some milliseconds.
 */
export async function readCertificateFile(input: FileInput): Promise<FileReading> {
  try {
    return judge(await contentsOf(input), input.now);
  } catch (thrown) {
    const error = toFarmError(thrown, "CERTIFICATE_MALFORMED");
    const status = STATUS_OF[error.code] ?? "malformed";
    return { status, problem: error.message, remedy: REMEDIES[status] };
  }
}

async function contentsOf(input: FileInput): Promise<Contents> {
  const limits = { ...DEFAULT_LIMITS, ...input.limits };
  const size = input.bytes.length + (input.keyBytes?.length ?? 0);
  if (size > limits.maxBytes) throw new FarmError("CERTIFICATE_TOO_COSTLY", `the file has ${size} octets; the limit is ${limits.maxBytes}`);
  if (input.bytes.length === 0) malformed("the file is empty (0 octets)");
  if (input.keyBytes?.length === 0) malformed("the key file is empty (0 octets)");
  const keys = new KeyRing(input.passwords, new WorkBudget(limits.maxIterations));
  const root = derOf(input.bytes, limits);
  if (root !== undefined && isPfx(root)) return await readPfx(input.bytes, keys, limits);
  const loose = new LooseReading(keys, limits);
  for (const bytes of [input.bytes, input.keyBytes]) if (bytes !== undefined) await addLoose(loose, bytes, limits);
  return loose.contents();
}

/** The DER value that a file begins with; undefined when it is text with PEM blocks. @throws CERTIFICATE_* when it is neither */
function derOf(bytes: Uint8Array, limits: ReadLimits): Tlv | undefined {
  if (bytes[0] !== 0x30) return hasPemBlocks(bytes) ? undefined : refuseUnknown(bytes);
  try {
    return readValue(toDefinite(bytes, limits.maxDepth).der);
  } catch (thrown) {
    // A text can begin with the digit 0, which is the tag of a SEQUENCE.
    if (hasPemBlocks(bytes)) return undefined;
    throw thrown;
  }
}

async function addLoose(loose: LooseReading, bytes: Uint8Array, limits: ReadLimits): Promise<void> {
  if (derOf(bytes, limits) === undefined) {
    await loose.addPem(bytes);
    return;
  }
  for (let at = 0; at < bytes.length;) {
    const { der, rest } = toDefinite(bytes.subarray(at), limits.maxDepth);
    await loose.addDer(readValue(der));
    at = bytes.length - rest;
  }
}
