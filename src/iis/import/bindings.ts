import type { EvidenceRow, NodeEvidence } from "../../doctor/index.ts";
import type { IisBinding, IisSite } from "../application-host.ts";
import { indexInstalled, type Installed } from "./installed.ts";
import type { ImportNotes } from "./note.ts";
import { createUniqueNames, type UniqueNames } from "./unique-name.ts";
import { placeText, type WrittenBinding } from "./write-yaml.ts";

const SNI = 1;
const CENTRAL = 2;
/** Bits that a site's `tls` can say. */
export const NO_HTTP2 = 4;
/** As above, for TLS 1.3. */
export const NO_TLS13 = 32;
/** Bits that ask for something certfarm does not do in any case, or forbid what it never does. */
const MOOT = new Map([
  [8, "OCSP stapling is off: certfarm does not staple"],
  [16, "QUIC is off: certfarm does not speak it"],
]);
/** Legacy TLS is off: so it is in certfarm always. */
const NO_LEGACY_TLS = 64;
const KNOWN = SNI | CENTRAL | NO_HTTP2 | NO_TLS13 | NO_LEGACY_TLS | 8 | 16;

/** What bindings of all sites share: a port and a host belong to one site, a port speaks one protocol, a place has one certificate. */
export interface BindingImport {
  readonly notes: ImportNotes;
  readonly installed: Installed;
  readonly protocols: Map<number, string>;
  readonly owners: Map<string, string>;
  readonly written: Set<string>;
  readonly files: Map<string, string>;
  /** Places that some binding asks for by name: `10.0.0.4 443`. */
  readonly named: ReadonlySet<string>;
  readonly fileNames: UniqueNames;
}

/** Begins the import of all bindings of these sites. TLS takes its ports first. */
export function createBindingImport(sites: readonly IisSite[], evidence: readonly NodeEvidence[], notes: ImportNotes): BindingImport {
  const secure = sites.flatMap(({ bindings }) => bindings.filter(({ protocol }) => protocol === "https"));
  return {
    notes,
    installed: indexInstalled(evidence),
    protocols: new Map(secure.flatMap(({ port }) => (port === undefined ? [] : [[port, "https"] as const]))),
    owners: new Map(),
    written: new Set(),
    files: new Map(),
    named: new Set(secure.filter(({ sslFlags }) => (sslFlags & (SNI | CENTRAL)) !== 0).map((binding) => placeKey(binding))),
    fileNames: createUniqueNames(),
  };
}

const placeKey = ({ address = "*", port }: Pick<IisBinding, "address" | "port">): string => `${everywhere(address)} ${port}`;
const everywhere = (address: string): string => (address === "::" || address === "0.0.0.0" ? "*" : address);

/** The counterparts of a site's bindings. */
export function importBindings(site: IisSite, name: string, context: BindingImport): readonly WrittenBinding[] {
  return site.bindings.flatMap((binding) => {
    const written = importBinding(binding, context);
    return written !== undefined && isFree(written, { site: name, line: binding.line }, context) ? [written] : [];
  });
}

function importBinding(binding: IisBinding, context: BindingImport): WrittenBinding | undefined {
  const { protocol, information, address, port, host, line } = binding;
  const { notes } = context;
  if (protocol !== "http" && protocol !== "https") {
    notes.add(line, `binding ${protocol} ${information}: only http and https have a counterpart`);
    return undefined;
  }
  if (address === undefined || port === undefined) {
    notes.add(line, `binding ${protocol} ${information} could not be read`);
    return undefined;
  }
  const place = { protocol, address: everywhere(address) === "*" ? "*" : address, port, ...(host === undefined ? {} : { host }) } as const;
  return protocol === "http" ? place : importSecure(place, binding, context);
}

function importSecure(place: WrittenBinding, binding: IisBinding, context: BindingImport): WrittenBinding | undefined {
  const { sslFlags, line } = binding;
  const { notes, named } = context;
  noteFlags(binding, notes);
  const isSni = (sslFlags & SNI) !== 0;
  if ((sslFlags & CENTRAL) !== 0) {
    if (!isSni) notes.add(line, `${placeText(place)}: central without SNI; here the client must name the host`);
    return place;
  }
  if (isSni && place.host !== undefined) {
    noteByName(place, binding, context);
    return place;
  }
  if (place.address !== "*" && named.has(placeKey(binding))) return withoutShadow(place, line, notes);
  return { ...place, file: fileFor(place, binding, context) };
}

/** A certificate for every name at an address would hide those that other bindings ask for there: farm.yaml does not allow it. */
function withoutShadow(place: WrittenBinding, line: number, notes: ImportNotes): WrittenBinding | undefined {
  const end = place.host === undefined ? "it is left out" : "here it is chosen by name";
  notes.add(
    line,
    `${placeText(place)}: its certificate answers for every name at that address and hides those of the other bindings there; ${end}`,
  );
  return place.host === undefined ? undefined : place;
}

function noteFlags({ sslFlags, line }: IisBinding, notes: ImportNotes): void {
  for (const [bit, text] of MOOT) if ((sslFlags & bit) !== 0) notes.add(line, `sslFlags ${sslFlags}: ${text}`);
  const unknown = Math.floor(sslFlags / (KNOWN + 1)) * (KNOWN + 1);
  if (unknown !== 0) notes.add(line, `sslFlags ${sslFlags}: the bits of ${unknown} are not known and have no counterpart`);
}

/** A certificate of the server's own store becomes a central one, chosen by name. */
function noteByName(place: WrittenBinding, { line }: IisBinding, { notes, installed }: BindingImport): void {
  const file = `${(place.host ?? "").replace(/^\*/, "_")}.pfx`;
  notes.add(
    line,
    `${placeText(place)}: export ${certificateText(installed.hostRow(place), installed)} with its key to certificates/${file}`,
  );
}

function certificateText(row: EvidenceRow | undefined, installed: Installed): string {
  if (row?.thumbprint === undefined) return "its certificate";
  const found = installed.certificate(row);
  const where = `LocalMachine\\${row.storeName ?? "My"}`;
  return found === undefined ? `the certificate ${row.thumbprint} of ${where}` : `${found.subject}, ${row.thumbprint} of ${where},`;
}

/** The file for a place without SNI: one for all bindings there, named after what its certificate is for. */
function fileFor(place: WrittenBinding, binding: IisBinding, { notes, installed, files, fileNames }: BindingImport): string {
  const key = placeKey(binding);
  const known = files.get(key);
  if (known !== undefined) return known;
  const row = installed.placeRow(place);
  const wanted = place.host ?? installed.certificate(row)?.dnsNames[0] ?? (place.address === "*" ? `port-${place.port}` : place.address);
  const file = `${fileNames(wanted.replace(/^\*/, "_any").slice(0, 50), "default")}.pfx`;
  files.set(key, file);
  notes.add(
    binding.line,
    `${placeText(place)}: export ${certificateText(row, installed)} with its key to certificates/${file}; without SNI it answers for every name there`,
  );
  return file;
}

function isFree(binding: WrittenBinding, { site, line }: { site: string; line: number }, context: BindingImport): boolean {
  const { notes, protocols, owners, written } = context;
  const { port, protocol, host = "*", address } = binding;
  const speaks = protocols.get(port) ?? protocol;
  const owner = owners.get(`${port} ${host}`) ?? site;
  const exact = `${port} ${host} ${address}`;
  if (speaks !== protocol)
    notes.add(line, `${placeText(binding)} is left out: port ${port} speaks ${speaks}, and a port speaks one protocol`);
  else if (owner !== site)
    notes.add(line, `${placeText(binding)} is left out: site ${owner} has that port and host; addresses do not tell sites apart`);
  else if (written.has(exact)) notes.add(line, `${placeText(binding)} is there already`);
  else {
    protocols.set(port, protocol);
    owners.set(`${port} ${host}`, site);
    written.add(exact);
    return true;
  }
  return false;
}
