import type { ApplicationHost, IisLocation, IisSection, IisSite } from "../application-host.ts";
import type { ImportNotes } from "./note.ts";
import type { UniqueNames } from "./unique-name.ts";
import type { WrittenService } from "./write-yaml.ts";

/** `httpResponseStatus` of httpRedirect. */
const STATUS: Readonly<Record<string, number>> = {
  permanent: 301,
  found: 302,
  temporary: 307,
  permredirect: 308,
  "301": 301,
  "302": 302,
  "307": 307,
  "308": 308,
};
const REDIRECT = "system.webServer/httpRedirect";
const MAX_INDEX = 16;
/** Names that farm.yaml takes as a file, without pages that only IIS can run. */
const STATIC_PAGE = /^[A-Za-z0-9][A-Za-z0-9_-]{0,60}\.(?:html?|xhtml|txt)$/i;

/** Sections by the path of their location, lower case: IIS does not mind the case of a site's name. */
export type SectionsByPath = ReadonlyMap<string, readonly IisSection[]>;

/** Indexes the locations of a configuration. */
export function indexLocations(locations: readonly IisLocation[]): SectionsByPath {
  const index = new Map<string, IisSection[]>();
  for (const { path, sections } of locations) {
    const key = path.replace(/\/$/, "").toLowerCase();
    const there = index.get(key);
    if (there === undefined) index.set(key, [...sections]);
    else there.push(...sections);
  }
  return index;
}

/** What a site does: a redirect of the whole site where that has a counterpart, else files. */
export function importService(
  site: IisSite,
  folder: string,
  { locations, index, notes }: { locations: SectionsByPath; index: readonly string[]; notes: ImportNotes },
): WrittenService {
  const own = locations.get(site.name.toLowerCase()) ?? [];
  const redirect = own.findLast(({ path }) => path === REDIRECT);
  const imported = redirect === undefined ? undefined : importRedirect(redirect, notes);
  if (imported !== undefined) return imported;
  const root = site.applications.find(({ path }) => path === "/")?.directories.find(({ path }) => path === "/");
  const from = root === undefined ? "the site's files" : root.physicalPath;
  notes.add(root?.line ?? site.line, `${site.name}: copy ${from} to content/${folder}, or write \`proxy:\` when an application answers`);
  return { kind: "content", folder, index };
}

/** Undefined when the redirect is off, or when farm.yaml cannot say it. */
function importRedirect({ attributes, line }: IisSection, notes: ImportNotes): WrittenService | undefined {
  if (!isTrue(attributes["enabled"])) return undefined;
  const { destination = "", httpResponseStatus = "Found", exactDestination, childOnly } = attributes;
  const status = STATUS[httpResponseStatus.toLowerCase()];
  const keepPath = !isTrue(exactDestination);
  // A path cannot be put behind a query.
  const isPlain = isPlainUrl(destination) && !(keepPath && /[?#]/.test(destination));
  if (status === undefined || !isPlain || isTrue(childOnly)) {
    notes.add(line, `httpRedirect to ${destination} has no counterpart as it is; write \`redirect:\` by hand`);
    return undefined;
  }
  return { kind: "redirect", to: destination, status, keepPath };
}

/** IIS puts parts of the request in the place of `$S`, `$P`, `$Q`, `$F`, `$V`. */
function isPlainUrl(text: string): boolean {
  if (text.length > 1_900 || !/^https?:\/\/[^/$]/i.test(text) || /[\p{Cc}\p{Z}$*]/u.test(text) || !URL.canParse(text)) return false;
  const { username, password } = new URL(text);
  return username === "" && password === "";
}

/** Whether an attribute is set to true. */
export const isTrue = (value: string | undefined): boolean => value?.toLowerCase() === "true";

/** Pages that stand for a folder, as the server has them. */
export function importIndex({ sections }: ApplicationHost): readonly string[] {
  const names = sections
    .filter(({ path }) => path === "system.webServer/defaultDocument/files/add")
    .map(({ attributes }) => attributes["value"] ?? "");
  const pages = [...new Set(names.filter((name) => STATIC_PAGE.test(name)))].slice(0, MAX_INDEX);
  return pages.length === 0 ? ["index.html"] : pages;
}

/** A folder of content for each site. */
export const folderFor = (site: IisSite, names: UniqueNames): string => names(site.name, "site").replaceAll(".", "-").toLowerCase();
