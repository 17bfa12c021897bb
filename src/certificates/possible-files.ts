import { toUnicodeHost, wildcardOf, type HostName, type HostPattern } from "../base/index.ts";
import { canonicalStem } from "../pki/index.ts";
import { SUFFIXES } from "./listing.ts";

/**
 * The names that files of a host and of its wildcard usually have, in A-labels and in Unicode: where to look while the folder is not listed
 * yet. A file that is spelled otherwise (`WWW.Example.com.PFX`) is found by the listing only.
 */
export function possibleFiles(host: HostName): readonly string[] {
  const patterns = [host as unknown as HostPattern, wildcardOf(host)].filter((pattern) => pattern !== undefined); // every HostName is a HostPattern
  const stems = patterns.flatMap((pattern) => [canonicalStem(pattern), canonicalStem(toUnicodeHost(pattern) as HostPattern)]); // for its spelling only
  return [...new Set(stems)].flatMap((stem) => SUFFIXES.map((suffix) => stem + suffix));
}
