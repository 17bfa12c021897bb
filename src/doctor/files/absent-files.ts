import { parseHostPattern, patternCovers, wildcardOf, type HostName, type HostPattern } from "../../base/index.ts";
import { parseFileName } from "../../pki/index.ts";
import type { CentralFile } from "../evidence.ts";
import { asks } from "./answering-files.ts";
import { groupFiles, promisedBy, type CentralMake } from "./central-files.ts";
import type { StoreSight } from "./store-sights.ts";

/** Why there is no file for a host, as far as the listing tells. `file` is the one that was probably meant. */
export type Absence =
  | { readonly kind: "absent" }
  /** IIS: the file is there under its A-label, or in decomposed Unicode. */
  | { readonly kind: "idn"; readonly file: CentralFile }
  /** The name of a file that was meant for the host leads nowhere. */
  | { readonly kind: "misnamed"; readonly file: CentralFile }
  /** A certificate for the host is there, in files of its other names only. */
  | { readonly kind: "copy-missing"; readonly file: CentralFile }
  /** A wildcard file is there, for another level of names. */
  | { readonly kind: "wildcard-depth"; readonly file: CentralFile };

/** Why a node finds no file for a host that it is to take from the central certificates; undefined when it finds one. */
export function absenceOf(sight: StoreSight, host: HostName): Absence | undefined {
  if (!asks(sight, host) || sight.candidates(host).classes.length > 0) return undefined;
  const clues = cluesOf(sight.files, sight.make);
  const wildcard = wildcardOf(host);
  const patterns = [host as unknown as HostPattern, ...(wildcard === undefined ? [] : [wildcard])]; // a HostName is a HostPattern
  return (
    ofName(clues, patterns) ??
    ofCertificate(clues, patterns, sight) ??
    ofGuess(clues, patterns, host) ??
    ofLevel(clues, host) ?? { kind: "absent" }
  );
}

const firstOf = (map: ReadonlyMap<string, readonly CentralFile[]>, patterns: readonly HostPattern[]): CentralFile | undefined =>
  patterns.flatMap((pattern) => map.get(pattern) ?? [])[0];

/** The name says the host, in a spelling that this make does not take. */
function ofName({ byPattern }: Clues, patterns: readonly HostPattern[]): Absence | undefined {
  const file = firstOf(byPattern, patterns);
  return file === undefined ? undefined : { kind: isOtherSpelling(file.name) ? "idn" : "misnamed", file };
}

function ofCertificate({ byCertificate }: Clues, patterns: readonly HostPattern[], { make }: StoreSight): Absence | undefined {
  const file = firstOf(byCertificate, patterns);
  return file === undefined ? undefined : { kind: isWellNamed(file, make) ? "copy-missing" : "misnamed", file };
}

/** Whether the file's name is one of its certificate's names. */
function isWellNamed({ name, reading }: CentralFile, make: CentralMake): boolean {
  const promised = promisedBy(name, make);
  return (
    promised !== undefined && reading?.facts?.leaf.dnsNames.some((other) => patternCovers(other, promised as unknown as HostName)) === true
  ); // a wildcard equals itself or nothing
}

function ofGuess({ byGuess }: Clues, patterns: readonly HostPattern[], host: HostName): Absence | undefined {
  const file = patterns.flatMap((pattern) => byGuess.get(pattern) ?? []).find((each) => !contradicts(each, host));
  return file === undefined ? undefined : { kind: "misnamed", file };
}

function ofLevel({ byPattern }: Clues, host: HostName): Absence | undefined {
  const file = firstOf(byPattern, wildcardsAround(host));
  return file === undefined ? undefined : { kind: "wildcard-depth", file };
}

const isOtherSpelling = (name: string): boolean => /[.]pfx$/i.test(name) && (/xn--/i.test(name) || name !== name.normalize("NFC"));

/** A file whose certificate is known not to name the host was not meant for it. */
function contradicts({ reading }: CentralFile, host: HostName): boolean {
  const names = reading?.facts?.leaf.dnsNames;
  return names !== undefined && !names.some((name) => patternCovers(name, host));
}

/** Wildcards of other levels: of the host itself, and of each parent's parent. */
function wildcardsAround(host: HostName): readonly HostPattern[] {
  const labels = host.split(".");
  const levels = [host, ...labels.slice(2).map((_label, index) => labels.slice(index + 2).join("."))];
  return levels.flatMap((name) => parseHostPattern(`*.${name}`) ?? []);
}

interface Clues {
  /** By what the name says in certfarm's reading, which is the widest. */
  readonly byPattern: ReadonlyMap<string, readonly CentralFile[]>;
  readonly byCertificate: ReadonlyMap<string, readonly CentralFile[]>;
  readonly byGuess: ReadonlyMap<string, readonly CentralFile[]>;
}

const known = new WeakMap<readonly CentralFile[], Map<CentralMake, Clues>>();

function cluesOf(files: readonly CentralFile[], make: CentralMake): Clues {
  const makes = known.get(files) ?? new Map<CentralMake, Clues>();
  known.set(files, makes);
  const clues = makes.get(make) ?? collect(files, make);
  makes.set(make, clues);
  return clues;
}

function collect(files: readonly CentralFile[], make: CentralMake): Clues {
  const good = new Set(files.filter((file) => isWellNamed(file, make)));
  return {
    byPattern: groupFiles(files, ({ name }) => listed(parseFileName(name)?.pattern)),
    // A good name first: then only a copy is missing.
    byCertificate: groupFiles([...good, ...files.filter((file) => !good.has(file))], ({ reading }) => [
      ...new Set(reading?.facts?.leaf.dnsNames),
    ]),
    byGuess: groupFiles(files, ({ name }) => guessesOf(name)),
  };
}

const listed = (pattern: HostPattern | undefined): readonly HostPattern[] => (pattern === undefined ? [] : [pattern]);

/** What people and tools put around a host name: copies, dates, notes, doubled extensions, other spellings of the wildcard. */
const DECORATION = /(?:\s*\(\d+\)|\s+-\s+\p{L}+|[-_ ](?:all|new|old|copy|wildcard|bak|cert|\d{4,8}))+$/iu;
const EXTENSIONS = /(?:\.(?:pfx|p12|pem|crt|cer|bak|old|txt))+$/i;
const WILDCARD = /^(?:\*|_|star|wildcard|wild)[._-]/i;

/** Hosts and wildcards that a file was possibly meant for, judged by its name; also the `www` of a bare domain. */
export function guessesOf(name: string): readonly HostPattern[] {
  if (name.length > 300 || !EXTENSIONS.test(name)) return [];
  const base = name.split(/[/\\]/).at(-1) ?? name;
  const stem = base.replace(EXTENSIONS, "").replace(DECORATION, "").normalize("NFC");
  const wild = WILDCARD.test(stem);
  const pattern = parseHostPattern(wild ? stem.replace(WILDCARD, "*.") : stem);
  if (pattern === undefined || !pattern.includes(".")) return [];
  if (/[-_ ]all$/i.test(base.replace(EXTENSIONS, ""))) return [pattern, ...listed(parseHostPattern(`*.${pattern}`)), ...www(pattern)];
  return [pattern, ...www(pattern)];
}

const www = (pattern: HostPattern): readonly HostPattern[] =>
  pattern.startsWith("*.") || pattern.startsWith("www.") ? [] : listed(parseHostPattern(`www.${pattern}`));
