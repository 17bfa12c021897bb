import { parseHostPattern, type HostPattern } from "../../base/index.ts";
import type { Notes } from "../notes.ts";
import type { ConfigFile } from "../types.ts";

/** A line of a list of certificates. */
export interface ListedCertificate {
  /** As written. */
  readonly file: string;
  /** Names that it is for; none = those in the certificate. */
  readonly hosts: readonly HostPattern[];
}

/** Reads a `crt-list` file (Configuration Manual, section 5.1): `FILE [options] NAME !NAME ...`, `#` begins a comment. */
export function readCertificateList({ path, text }: ConfigFile, notes: Notes): readonly ListedCertificate[] {
  const listed: ListedCertificate[] = [];
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    const bracket = line.indexOf("[");
    const close = line.indexOf("]", bracket);
    const plain = bracket < 0 || close < 0 ? line : `${line.slice(0, bracket)} ${line.slice(close + 1)}`;
    const [file = "", ...filters] = plain.split(/\s+/);
    const wanted = filters.filter((filter) => filter !== "" && !filter.startsWith("!") && filter !== "*");
    const hosts = wanted.flatMap((filter) => {
      const host = parseHostPattern(filter);
      if (host === undefined) notes.add(path, index + 1, `${filter} is not a name that can be listed`);
      return host ?? [];
    });
    listed.push({ file, hosts });
  }
  return listed;
}
