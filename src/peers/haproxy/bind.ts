import { posix } from "node:path";

import type { HostPattern, IpAddress } from "../../base/index.ts";
import type { EvidenceBinding, ListenerEvidence } from "../../doctor/index.ts";
import type { Budget } from "../budget.ts";
import { invalid } from "../invalid.ts";
import type { Notes } from "../notes.ts";
import type { WrittenVersions } from "../tls-versions.ts";
import type { ConfigFile, FindFiles } from "../types.ts";
import { readBindAddresses, type BindAddress } from "./bind-address.ts";
import { optionsOf, versionsOf, type BindOption } from "./bind-options.ts";
import { readCertificateList } from "./certificate-list.ts";
import type { Line, Section } from "./sections.ts";
import type { Word } from "./words.ts";

/** What reading a `bind` needs. */
export interface Context {
  readonly main: ConfigFile;
  readonly find: FindFiles;
  readonly notes: Notes;
  /** Where relative certificate files are. */
  readonly base: string;
  readonly defaults: readonly BindOption[];
  readonly budget: Budget;
  /** Lists that were read: many binds may share one. */
  readonly lists: Map<string, readonly Certificate[]>;
}

/** What a `bind` says of one place. */
export interface Bind {
  readonly bindings: readonly EvidenceBinding[];
  readonly listener: ListenerEvidence;
  readonly versions: WrittenVersions | undefined;
}

/** A `bind` line of a section that works in `mode`: one entry for each place it names. */
export async function readBind(
  line: Line,
  { section, mode }: { section: Section; mode: string },
  context: Context,
): Promise<readonly Bind[]> {
  const { main, notes } = context;
  const [place, ...rest] = line.args;
  if (place === undefined) throw invalid(main.path, line.line, "bind names no address");
  const places = place.isVariable ? `${place.text} depends on the environment` : readBindAddresses(place.text);
  if (typeof places === "string") {
    notes.add(main.path, line.line, `bind: ${places}`);
    return [];
  }
  const options = optionsOf(rest);
  const has = (name: string): boolean => options.some((option) => option.name === name);
  // Without TLS in mode tcp, what comes is passed on as it is.
  if (!has("ssl") && mode !== "http") return [];
  const certificates = has("ssl") ? await certificatesOf(options, line.line, context) : [];
  const names = certificates.reduce((count, { hosts }) => count + hosts.length, 1);
  context.budget.spend("bindings", places.length * names + certificates.length, { path: main.path, line: line.line });
  const versions = has("ssl") ? versionsOf([...context.defaults, ...options]) : undefined;
  const answers = answersOf(certificates, has("strict-sni"));
  return places.map((each) => {
    const at = each.address === "::" && has("v4v6") ? { ...each, address: "*" as const } : each;
    return {
      bindings: bindingsOf({ site: section.name, at, isTls: has("ssl"), answers, isStrict: has("strict-sni") }, certificates),
      listener: listenerOf(at, has("ssl"), has("accept-proxy")),
      versions: versions === undefined ? undefined : { versions, source: `${main.path}:${line.line}` },
    };
  });
}

interface Certificate {
  readonly file: string;
  readonly hosts: readonly HostPattern[];
}

async function certificatesOf(options: readonly BindOption[], line: number, context: Context): Promise<readonly Certificate[]> {
  const certificates: (readonly Certificate[])[] = [];
  for (const { name, value } of options) {
    if (value === undefined) continue;
    if (name === "crt" || name === "default-crt") certificates.push(certificateOf(value, line, context));
    if (name === "crt-list") certificates.push(await listOf(value, line, context));
  }
  return certificates.flat();
}

function certificateOf({ text, isVariable }: Word, line: number, { main, notes, base }: Context): readonly Certificate[] {
  if (!isVariable && !text.startsWith("@")) return [{ file: inBase(base, text), hosts: [] }];
  notes.add(main.path, line, `crt ${text}: ${isVariable ? "depends on the environment" : "sections crt-store are not followed"}`);
  return [];
}

const inBase = (base: string, file: string): string => (base === "" || posix.isAbsolute(file) ? file : posix.join(base, file));

async function listOf({ text, isVariable }: Word, line: number, context: Context): Promise<readonly Certificate[]> {
  const { main, notes, lists, base, budget } = context;
  const known = lists.get(text);
  if (known !== undefined) return known;
  budget.spend("files", 1, { path: main.path, line });
  const [list] = isVariable ? [] : await context.find(text);
  if (list === undefined) notes.add(main.path, line, `crt-list ${text} was not there to be read`);
  else budget.spend("characters", list.text.length, { path: list.path, line: 1 });
  const read = list === undefined ? [] : readCertificateList(list, notes);
  const listed = read.map(({ file, hosts }) => ({ file: inBase(base, file), hosts }));
  lists.set(text, listed);
  return listed;
}

/** Files that answer names which no list has. Without strict-sni the first answers clients that send no name, or one that nothing fits. */
function answersOf(certificates: readonly Certificate[], isStrict: boolean): readonly string[] {
  const unnamed = certificates.filter(({ hosts }) => hosts.length === 0).map(({ file }) => file);
  const [first] = certificates;
  return [...new Set(isStrict || first === undefined ? unnamed : [first.file, ...unnamed])];
}

interface Answering {
  readonly site: string;
  readonly at: BindAddress;
  readonly isTls: boolean;
  readonly isStrict: boolean;
  readonly answers: readonly string[];
}

function bindingsOf({ site, at, isTls, isStrict, answers }: Answering, certificates: readonly Certificate[]): readonly EvidenceBinding[] {
  const base = { site, protocol: isTls ? "https" : "http", ...at, central: false };
  if (!isTls) return [{ ...base, sni: false }];
  const named = certificates.flatMap(({ file, hosts }) => hosts.map((host) => ({ ...base, host, sni: true, files: [file] })));
  return answers.length === 0 ? named : [{ ...base, sni: isStrict, files: answers }, ...named];
}

function listenerOf({ address, port }: BindAddress, isTls: boolean, proxyProtocol: boolean): ListenerEvidence {
  const at = address === "*" ? ("0.0.0.0" as IpAddress) : address; // every address
  return { endpoint: { address: at, port }, bindingPort: port, protocol: isTls ? "https" : "http", proxyProtocol };
}
