import { parseHostPattern, toUnicodeHost, wildcardOf, type HostName, type HostPattern } from "../../base/index.ts";
import type { CandidateVia } from "../../handshake/index.ts";
import { parseFileName } from "../../pki/index.ts";
import type { CentralFile } from "../evidence.ts";

/** The servers that choose a certificate file by the name asked for. */
export type CentralMake = "certfarm" | "iis";

/** Files that come into question for a host, in the order in which the server looks. */
export interface CentralCandidates {
  readonly classes: readonly { readonly via: CandidateVia; readonly files: readonly [CentralFile, ...CentralFile[]] }[];
  /** The names that the server looks for, as people write them: `www.example.com.pfx`. */
  readonly tried: readonly string[];
}

/** Which files of a listing a server would look at for a host. */
export interface CentralIndex {
  candidates(host: HostName): CentralCandidates;
}

const indexes = new WeakMap<readonly CentralFile[], Map<CentralMake, CentralIndex>>();

/**
 * An index of a listing, made once for each listing and make.
 * IIS: `HOST.pfx` by its Unicode name, any case, then `_.PARENT.pfx`; nothing else, and what the certificate says is not looked at.
 * certfarm: files whose name promises the host in any spelling, then the wildcard, then certificates that name it.
 */
export function indexCentral(files: readonly CentralFile[], make: CentralMake): CentralIndex {
  const known = indexes.get(files) ?? new Map<CentralMake, CentralIndex>();
  indexes.set(files, known);
  const index = known.get(make) ?? remembering(make === "iis" ? lookLikeIis(files) : lookLikeCertfarm(files));
  known.set(make, index);
  return index;
}

/** The file or files that answer for a host: several when keys of different types are offered, or when files compete. */
export function centralFileFor(
  host: HostName,
  files: readonly CentralFile[],
  make: CentralMake,
): CentralCandidates["classes"][number] | undefined {
  const { classes } = indexCentral(files, make).candidates(host);
  // certfarm passes over files that it cannot use; what IIS does then is not documented.
  return (make === "certfarm" ? classes.find((found) => found.files.some(mayServe)) : undefined) ?? classes[0];
}

/** Whether a server could present this file's certificate, as far as is known. */
export function mayServe({ access, reading, inUse }: CentralFile): boolean {
  if (inUse !== undefined) return true;
  if (access === "denied" || access === "failed") return false;
  return reading === undefined || reading.status === "ok" || reading.status === "expired" || reading.status === "not-yet-valid";
}

function remembering(look: (host: HostName) => CentralCandidates): CentralIndex {
  const answers = new Map<HostName, CentralCandidates>();
  return {
    candidates(host) {
      const known = answers.get(host) ?? look(host);
      answers.set(host, known);
      return known;
    },
  };
}

type Found = readonly CentralFile[] | undefined;

function classesOf(found: readonly (readonly [CandidateVia, Found])[]): CentralCandidates["classes"] {
  return found.flatMap(([via, files]) => {
    const [first, ...rest] = files ?? [];
    return first === undefined ? [] : [{ via, files: [first, ...rest] as const }];
  });
}

function lookLikeIis(files: readonly CentralFile[]): (host: HostName) => CentralCandidates {
  const byName = groupFiles(files, ({ name }) => [name.toLowerCase()]);
  return (host) => {
    const tried = namesFor(host);
    return {
      classes: classesOf([
        ["exact", byName.get(tried[0] ?? "")],
        ["wildcard", byName.get(tried[1] ?? "")],
      ]),
      tried,
    };
  };
}

function lookLikeCertfarm(files: readonly CentralFile[]): (host: HostName) => CentralCandidates {
  const byPattern = groupFiles(files, ({ name }) => patternsOf(name));
  const byCertificate = groupFiles(files, ({ reading }) => [...new Set(reading?.facts?.leaf.dnsNames)]);
  return (host) => {
    const own = host as unknown as HostPattern; // a HostName is a HostPattern
    const wildcard = wildcardOf(host);
    const exact = byPattern.get(own);
    const wild = wildcard === undefined ? undefined : byPattern.get(wildcard);
    const covering = [...(byCertificate.get(own) ?? []), ...(wildcard === undefined ? [] : (byCertificate.get(wildcard) ?? []))];
    const named = new Set([...(exact ?? []), ...(wild ?? [])]);
    return {
      classes: classesOf([
        ["exact", exact],
        ["wildcard", wild],
        ["covering", covering.filter((file) => !named.has(file) && mayServe(file))],
      ]),
      tried: namesFor(host),
    };
  };
}

/** `www.example.com.pfx` and `_.example.com.pfx`, in Unicode and lower case. */
function namesFor(host: HostName): readonly string[] {
  const wildcard = wildcardOf(host);
  const names = [toUnicodeHost(host), ...(wildcard === undefined ? [] : [toUnicodeHost(wildcard).replace("*", "_")])];
  return names.map((name) => `${name}.pfx`);
}

function patternsOf(name: string): readonly HostPattern[] {
  const pattern = parseFileName(name)?.pattern;
  return pattern === undefined ? [] : [pattern];
}

/** The host or wildcard that a file's name promises to the given make; undefined when the server never looks for such a name. */
export function promisedBy(name: string, make: CentralMake): HostPattern | undefined {
  if (make === "certfarm") return parseFileName(name)?.pattern;
  if (!/\.pfx$/i.test(name)) return undefined;
  const stem = name.slice(0, -4).toLowerCase();
  if (stem.includes("xn--") || stem !== stem.normalize("NFC")) return undefined;
  return stem.includes("*") ? undefined : parseHostPattern(stem.startsWith("_.") ? `*${stem.slice(1)}` : stem);
}

/** Files by keys of theirs; a file may have several. */
export function groupFiles(
  files: readonly CentralFile[],
  keysOf: (file: CentralFile) => readonly string[],
): ReadonlyMap<string, readonly CentralFile[]> {
  const groups = new Map<string, CentralFile[]>();
  for (const file of files) {
    for (const key of keysOf(file)) {
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [file]);
      else group.push(file);
    }
  }
  return groups;
}
