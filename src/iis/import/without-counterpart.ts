import type { ApplicationHost, IisSection, IisSite } from "../application-host.ts";
import type { ImportNotes } from "./note.ts";
import { isTrue } from "./service.ts";

/** Sections that are said elsewhere, or that every IIS has and that change nothing here. */
const SILENT = new Set(["system.webServer/httpRedirect", "system.webServer/defaultDocument"]);

/** Tells what of a site has no counterpart: pools, applications, virtual directories, accounts. */
export function noteSite(site: IisSite, notes: ImportNotes): void {
  for (const application of site.applications) {
    const { path, pool, line } = application;
    if (path !== "/") notes.add(line, `${site.name}: application ${path} has no counterpart: one site serves one folder`);
    if (pool !== undefined)
      notes.add(line, `${site.name}: application pool ${pool} has no counterpart: certfarm runs no code of applications`);
    for (const directory of application.directories) {
      const { user } = directory;
      if (directory.path !== "/")
        notes.add(
          directory.line,
          `${site.name}: virtual directory ${directory.path} (${directory.physicalPath}) has no counterpart: copy it into the folder`,
        );
      if (user !== undefined)
        notes.add(directory.line, `${site.name}: the account ${user} of a directory has no counterpart: every node has its own copy`);
    }
  }
}

/** Tells what sections have no counterpart: one note a section and location, those of the server in one. */
export function noteSections(host: ApplicationHost, notes: ImportNotes): void {
  for (const { path, sections } of host.locations) {
    for (const [name, group] of groups(sections)) {
      const [first] = group;
      if (first !== undefined) notes.add(first.line, `${path === "" ? "every site" : path}: ${sectionText(name, group)}`);
    }
  }
  const server = groups(host.sections);
  const asked = [...server].filter(([name, group]) => isAsked(name, group));
  for (const [name, group] of asked) notes.add(group[0]?.line ?? 1, `the server: ${sectionText(name, group)}`);
  const [first] = host.sections;
  const others = [...server.keys()].filter((name) => !asked.some(([each]) => each === name));
  if (first !== undefined && others.length > 0)
    notes.add(first.line, `the server: ${others.map(shortName).join(", ")} hold for every site and have no counterpart`);
}

function groups(sections: readonly IisSection[]): ReadonlyMap<string, readonly IisSection[]> {
  const found = new Map<string, IisSection[]>();
  for (const section of sections) {
    const name = nameOf(section.path);
    if (SILENT.has(name)) continue;
    const there = found.get(name);
    if (there === undefined) found.set(name, [section]);
    else there.push(section);
  }
  return found;
}

/** `system.webServer/security/authentication/basicAuthentication` as a whole, others by their first two names. */
function nameOf(path: string): string {
  const parts = path.split("/");
  return parts.slice(0, parts[1] === "security" ? (parts[2] === "authentication" ? 4 : 3) : 2).join("/");
}

const shortName = (name: string): string => name.replace(/^system\.webServer\//, "");

function isAsked(name: string, group: readonly IisSection[]): boolean {
  if (name.includes("/security/authentication/") && !name.endsWith("/anonymousAuthentication"))
    return group.some(({ attributes }) => isTrue(attributes["enabled"]));
  return name === "webFarms" || /\/(?:rewrite|proxy)$/.test(name) || asksForClientCertificates(name, group);
}

const asksForClientCertificates = (name: string, group: readonly IisSection[]): boolean =>
  name.endsWith("/security/access") && group.some(({ attributes }) => /Ssl/i.test(attributes["sslFlags"] ?? ""));

function sectionText(name: string, group: readonly IisSection[]): string {
  const short = shortName(name);
  const flags = group.find(({ attributes }) => attributes["sslFlags"] !== undefined)?.attributes["sslFlags"] ?? "";
  if (/SslRequireCert|SslNegotiateCert/i.test(flags))
    return `access asks for client certificates (${flags}): write \`tls.clientCertificates\` and \`clientCa\``;
  if (/\bSsl\b/i.test(flags)) return `access takes TLS only (${flags}): \`redirectToHttps: true\` is nearest`;
  if (name.endsWith("/rewrite"))
    return "rewrite has no counterpart: rules that only redirect can be a `redirect:`, those that pass on a `proxy:`";
  if (name === "webFarms" || name.endsWith("/proxy")) return `${short} has no counterpart here: write its servers as \`proxy:\``;
  if (group.length > 1) return `${short} (${group.length} elements) has no counterpart`;
  return `${short} has no counterpart`;
}
