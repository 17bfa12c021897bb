import { instant } from "../base/index.ts";
import { corrupt, decodeFields, encodeJson, numberField, sha256, textField, type Fields } from "./state-json.ts";
import type { Revision } from "./types.ts";

/** Longest farm.yaml that is taken, in bytes: far beyond a million host names' worth of bindings by pattern. */
export const MAX_YAML_BYTES = 4 * 1024 * 1024;

/** Key of a revision; zero-padded so that a listing reads in order up to a million. */
export const revisionKey = (number: number): string => `revisions/${String(number).padStart(6, "0")}`;

/** A revision as JSON, its YAML included, as a process keeps it on its own disk. */
export const encodeRevision = (revision: Revision): Uint8Array => encodeJson(revision);

/** @throws STORE_CORRUPT, also when the YAML does not have the digest beside it */
export function decodeRevision(bytes: Uint8Array, where: string): Revision {
  const fields = decodeFields(bytes, where);
  const { signer, signerSerial } = fields;
  const kept = typeof signer === "string" && typeof signerSerial === "string" ? { signer, signerSerial } : {};
  return { ...revisionOf(fields, textField(fields, "yaml", where), where), ...kept };
}

/** The revision that these fields and this text make. @throws STORE_CORRUPT */
export function revisionOf(fields: Fields, yaml: string, where: string): Revision {
  const digest = textField(fields, "digest", where);
  if (sha256(yaml) !== digest) throw corrupt(where, "the text does not have the digest beside it");
  return {
    number: numberField(fields, "number", where),
    yaml,
    digest,
    at: instant(numberField(fields, "at", where)),
    by: textField(fields, "by", where),
    ...(typeof fields["note"] === "string" ? { note: fields["note"] } : {}),
  };
}

/** The file that people read below `config/revisions/`: one comment line, then the YAML as it was applied. */
export function readableCopy(revision: Revision): Uint8Array {
  const { number, digest, at, by, note } = revision;
  const facts = {
    number,
    at: new Date(at).toISOString(),
    by,
    note,
    digest,
    copy: "editing this file changes nothing: edit config/farm.yaml",
  };
  // YAML ends a comment at these too, JSON leaves them as they are.
  const line = JSON.stringify(facts).replace(
    /[\u007f-\u009f\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return new TextEncoder().encode(`# certfarm revision ${line}\n${revision.yaml}`);
}
