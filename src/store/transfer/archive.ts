import { createHash } from "node:crypto";

/** The first entry: whose backup it is. */
export const HEAD_NAME = "certfarm-backup.json";
/** The last one: without it the backup was cut off. */
export const END_NAME = "end.json";
/** Of the archive as a whole; higher ones are refused. */
export const FORM = 1;

/** Records of the pax header of each entry: SHA-256 of its octets; of the entries up to and with it. */
export const DIGEST_RECORD = "CERTFARM.sha256";
export const CHAIN_RECORD = "CERTFARM.chain";

/** Each entry's chain takes in the one before, so that none can be changed, left out or moved without it being noticed right there. */
export const nextChain = (before: string, name: string, digest: string): string =>
  createHash("sha256").update(`${before}\n${digest} ${name}\n`).digest("hex");

/** What an entry holds. */
export type EntryPlace =
  | { readonly kind: "key"; readonly key: string }
  | { readonly kind: "file"; readonly folder: "certificates" | "config" | "content"; readonly path: string }
  | { readonly kind: "blob"; readonly digest: string };

/** The entry's name. A key ends in `@`, so that a key and those below it can lie side by side when somebody unpacks the archive. */
export function entryName(place: EntryPlace): string {
  if (place.kind === "key") return `state/${place.key.split("/").map(encodeURIComponent).join("/")}@`;
  if (place.kind === "file") return `files/${place.folder}/${place.path}`;
  return `blobs/${place.digest.slice("sha256:".length)}`;
}

/** What a name stands for; undefined = no entry of ours. */
export function entryPlace(name: string): EntryPlace | undefined {
  const [top, ...rest] = name.split("/");
  if (top === "state" && name.endsWith("@")) return keyPlace(rest.join("/").slice(0, -1));
  const [folder, ...path] = rest;
  if (top === "files" && (folder === "certificates" || folder === "config" || folder === "content"))
    return { kind: "file", folder, path: path.join("/") };
  if (top === "blobs" && /^[0-9a-f]{64}$/.test(rest.join("/"))) return { kind: "blob", digest: `sha256:${rest.join("/")}` };
  return undefined;
}

function keyPlace(text: string): EntryPlace | undefined {
  try {
    return { kind: "key", key: text.split("/").map(decodeURIComponent).join("/") };
  } catch {
    return undefined;
  }
}
