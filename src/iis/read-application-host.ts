import { createHash } from "node:crypto";

import { FarmError } from "../base/index.ts";
import type { BindingsEvidence, EvidenceBinding, Source } from "../doctor/index.ts";
import type { ApplicationHost, IisApplication, IisBinding, IisDirectory, IisSection, IisSite } from "./application-host.ts";
import { decodeText } from "./decode-text.ts";
import { parseBindingInformation } from "./binding-information.ts";
import { readXml, type XmlElement } from "./read-xml.ts";
import { UnreadLines } from "./unread.ts";

/** Sections that are read on their own. */
const OWN = new Set(["configSections", "configProtectedData", "system.applicationHost", "location"]);

/** `sslFlags` is a number of 32 bits. */
const MAX_FLAGS = 0xff_ff_ff_ff;

/** SSL data that IIS 6 kept in its metabase. */
const LEGACY_BINDING_DATA = "5506";

/**
 * Reads an `applicationHost.config`, in UTF-8 or UTF-16.
 * @throws IIS_CONFIG_MALFORMED with line and column (a copy that was cut off), IIS_INPUT_TOO_LARGE
 */
export function readApplicationHost(content: Uint8Array | string, source: Source): ApplicationHost {
  const root = readConfiguration(content, source);
  const host = root.children.filter(({ name }) => name === "system.applicationHost");
  const unread = new UnreadLines();
  const siteLists = all(host, "sites");
  const autoStart = all(siteLists, "siteDefaults").at(-1)?.attributes["serverAutoStart"];
  return {
    source,
    digest: digestOf(root),
    sites: all(siteLists, "site").map((site) => readSite(site, isFalse(autoStart), unread)),
    locations: all([root], "location").map((location) => ({
      path: location.attributes["path"] ?? "",
      sections: location.children.flatMap((section) => sectionsOf(section, section.name)),
      line: location.line,
    })),
    sections: root.children.filter(({ name }) => !OWN.has(name)).flatMap((section) => sectionsOf(section, section.name)),
    protectedBy: all(all(all([root], "configProtectedData"), "providers"), "add").map(({ attributes }) => attributes["name"] ?? ""),
    legacyBindingData: all(host, "customMetadata").some(hasLegacyData),
    unread: unread.list(),
  };
}

function digestOf(root: XmlElement): string {
  const parts: string[] = [];
  addParts(root, parts);
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").toUpperCase();
}

/** Names and values in order, and where an element ends; the reader of XML bounds the depth. */
function addParts({ name, attributes, children }: XmlElement, parts: string[]): void {
  parts.push(name, ...Object.entries(attributes).flat());
  for (const child of children) addParts(child, parts);
  parts.push("/");
}

/**
 * The root element of one of IIS's configuration files.
 * @throws IIS_CONFIG_MALFORMED, IIS_INPUT_TOO_LARGE
 */
export function readConfiguration(content: Uint8Array | string, source: Source): XmlElement {
  const root = readXml(decodeText(content, source).text, source);
  if (root.name === "configuration") return root;
  const { line, name } = root;
  throw new FarmError(
    "IIS_CONFIG_MALFORMED",
    `${source}: line ${line}: the root element is ${JSON.stringify(name.slice(0, 100))}, not "configuration"`,
    {
      facts: { file: source, line },
    },
  );
}

/** Children of this name, of all these elements: a file may have a section in several pieces. */
const all = (elements: readonly XmlElement[], name: string): readonly XmlElement[] =>
  elements.flatMap(({ children }) => children.filter((child) => child.name === name));

const isFalse = (value: string | undefined): boolean => value?.toLowerCase() === "false";

/** By a loop over a list: nesting is bounded, and still no call stack is trusted to it. */
function hasLegacyData(element: XmlElement): boolean {
  const left = [element];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    if (next.name === "property" && next.attributes["id"] === LEGACY_BINDING_DATA) return true;
    for (const child of next.children) left.push(child);
  }
  return false;
}

function readSite(site: XmlElement, defaultIsOff: boolean, unread: UnreadLines): IisSite {
  const { name = "", id = "", serverAutoStart } = site.attributes;
  const hsts = all([site], "hsts").at(-1)?.attributes;
  return {
    name,
    ...(/^\d{1,10}$/.test(id) ? { id: Number(id) } : {}),
    autoStart: serverAutoStart === undefined ? !defaultIsOff : !isFalse(serverAutoStart),
    bindings: all(all([site], "bindings"), "binding").map((binding) => readBinding(binding, unread)),
    applications: all([site], "application").map(readApplication),
    ...(hsts === undefined ? {} : { hsts }),
    line: site.line,
  };
}

function readBinding({ attributes, line }: XmlElement, unread: UnreadLines): IisBinding {
  const { protocol = "", bindingInformation: information = "", sslFlags = "0" } = attributes;
  const flags = /^\d{1,10}$/.test(sslFlags) ? Number(sslFlags) : Number.NaN;
  const isWeb = protocol === "http" || protocol === "https";
  const parsed = isWeb ? parseBindingInformation(information) : undefined;
  const isOdd = !(flags <= MAX_FLAGS);
  if (isOdd || (isWeb && parsed === undefined)) unread.add(line, `${protocol} ${information}${isOdd ? ` sslFlags=${sslFlags}` : ""}`);
  return { protocol, information, ...parsed, sslFlags: isOdd ? 0 : flags, line };
}

function readApplication(application: XmlElement): IisApplication {
  const { path = "/", applicationPool } = application.attributes;
  return {
    path,
    ...(applicationPool === undefined ? {} : { pool: applicationPool }),
    directories: all([application], "virtualDirectory").map(readDirectory),
    line: application.line,
  };
}

function readDirectory({ attributes, line }: XmlElement): IisDirectory {
  const { path = "/", physicalPath = "", userName } = attributes;
  return { path, physicalPath, ...(userName === undefined || userName === "" ? {} : { user: userName }), line };
}

/** Elements with attributes at and below this one; depth is bounded by the reader of XML. */
function sectionsOf(element: XmlElement, path: string): readonly IisSection[] {
  const own = Object.keys(element.attributes).length === 0 ? [] : [{ path, attributes: element.attributes, line: element.line }];
  return [...own, ...element.children.flatMap((child) => sectionsOf(child, `${path}/${child.name}`))];
}

/** The bindings of http and https that could be read; `states` says which sites run, where that is known better than by auto-start. */
export function bindingsEvidence(host: ApplicationHost, states: ReadonlyMap<string, boolean> = new Map()): BindingsEvidence {
  const bindings = host.sites.flatMap((site) =>
    site.bindings.flatMap((binding): readonly EvidenceBinding[] => {
      const { address, port, host: name, sslFlags } = binding;
      if (address === undefined || port === undefined) return [];
      const tls = binding.protocol === "https";
      return [
        {
          site: site.name,
          protocol: binding.protocol,
          address,
          port,
          ...(name === undefined ? {} : { host: name }),
          sni: tls && (sslFlags & 1) !== 0,
          central: tls && (sslFlags & 2) !== 0,
          ...(tls ? { sslFlags } : {}),
          started: states.get(site.name) ?? site.autoStart,
        },
      ];
    }),
  );
  return { source: host.source, bindings };
}
