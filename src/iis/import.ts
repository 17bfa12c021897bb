import { FarmError } from "../base/index.ts";
import type { NodeEvidence } from "../doctor/index.ts";
import type { ApplicationHost, IisSite } from "./application-host.ts";
import { createBindingImport, importBindings, NO_HTTP2, NO_TLS13 } from "./import/bindings.ts";
import { breakLoops, type PlannedSite } from "./import/break-loops.ts";
import { createImportNotes, type ImportNote, type ImportNotes } from "./import/note.ts";
import { folderFor, importIndex, importService, indexLocations, isTrue } from "./import/service.ts";
import { createUniqueNames } from "./import/unique-name.ts";
import { noteSections, noteSite } from "./import/without-counterpart.ts";
import { writeYaml, type WrittenBinding, type WrittenSite } from "./import/write-yaml.ts";

/** What farm.yaml may have: see docs/configuration.md. */
const MAX_YAML = 4 * 1024 * 1024;
const MAX_HSTS_SECONDS = 10 * 365 * 86_400;

/** A server whose evidence helps: its name becomes that of a node, its table tells which certificates to export. */
export interface ImportedNode {
  readonly name: string;
  readonly evidence: NodeEvidence;
}

/** A farm.yaml that parseFarmConfig takes, and line by line what in applicationHost.config has no counterpart or needs a person. */
export interface IisImport {
  readonly yaml: string;
  readonly notes: readonly ImportNote[];
}

/**
 * Makes a farm.yaml out of a server's configuration. Certificates that are chosen by name become central ones; one that answers without SNI
 * becomes a named file. Names of sites are made to fit; what cannot be said is left out and told.
 * @throws IIS_INPUT_TOO_LARGE when farm.yaml would be larger than it may be
 */
export function importIis(host: ApplicationHost, nodes: readonly ImportedNode[] = []): IisImport {
  const notes = createImportNotes();
  for (const { line, text } of host.unread) notes.add(line, `could not be read: ${text}`);
  const started = host.sites.filter((site) => {
    if (!site.autoStart) notes.add(site.line, `${site.name} is left out: it does not start by itself`);
    return site.autoStart;
  });
  const bindings = createBindingImport(
    started,
    nodes.map(({ evidence }) => evidence),
    notes,
  );
  const context = { notes, locations: indexLocations(host.locations), index: importIndex(host) };
  const [siteNames, folders, nodeNames] = [createUniqueNames(), createUniqueNames(), createUniqueNames()];
  const planned = started.flatMap((site): readonly PlannedSite[] => {
    const name = siteNames(site.name, "site");
    const written = importBindings(site, name, bindings);
    if (written.length === 0) {
      notes.add(site.line, `${site.name} is left out: no binding of it has a counterpart`);
      return [];
    }
    if (name !== site.name) notes.add(site.line, `${site.name} is named ${name} here`);
    noteSite(site, notes);
    const folder = folderFor(site, folders);
    const service = importService(site, folder, context);
    return [{ site: { name, bindings: written, service, ...policyOf(site, written, notes) }, folder, line: site.line }];
  });
  const sites = breakLoops(planned, notes);
  noteSections(host, notes);
  const names = nodes.length === 0 ? ["web1"] : nodes.map(({ name }) => nodeNames(name.toLowerCase(), "web"));
  const yaml = writeYaml("farm", names, sites);
  if (Buffer.byteLength(yaml) > MAX_YAML)
    throw new FarmError("IIS_INPUT_TOO_LARGE", `${host.source}: its ${sites.length} sites make a farm.yaml of more than 4 MiB`);
  return { yaml, notes: notes.all() };
}

type Policy = Pick<WrittenSite, "http2" | "tls13" | "hsts" | "redirectToHttps">;

/** Settings of IIS bindings become those of the site when all its https bindings have them. */
function policyOf(site: IisSite, written: readonly WrittenBinding[], notes: ImportNotes): Policy {
  const secure = site.bindings.filter(({ protocol }) => protocol === "https");
  const off = (bit: number, what: string): boolean => {
    const having = secure.filter(({ sslFlags }) => (sslFlags & bit) !== 0);
    if (having.length > 0 && having.length < secure.length)
      notes.add(
        having[0]?.line ?? site.line,
        `${site.name}: ${what} is off for ${having.length} of ${secure.length} https bindings; here it is a setting of the site`,
      );
    return secure.length > 0 && having.length === secure.length;
  };
  const has = (protocol: string): boolean => written.some((binding) => binding.protocol === protocol);
  const isHsts = isTrue(site.hsts?.["enabled"]);
  return {
    http2: !off(NO_HTTP2, "HTTP/2"),
    tls13: !off(NO_TLS13, "TLS 1.3"),
    redirectToHttps: isHsts && isTrue(site.hsts?.["redirectHttpToHttps"]) && has("https") && has("http"),
    ...(isHsts && has("https") ? { hsts: hstsOf(site.hsts ?? {}) } : {}),
  };
}

function hstsOf(attributes: Readonly<Record<string, string>>): NonNullable<WrittenSite["hsts"]> {
  const age = attributes["max-age"] ?? "0";
  return {
    maxAgeSeconds: /^\d{1,12}$/.test(age) ? Math.min(Number(age), MAX_HSTS_SECONDS) : 0,
    includeSubDomains: isTrue(attributes["includeSubDomains"]),
    preload: isTrue(attributes["preload"]),
  };
}
