import { desiredTable, type Binding, type BindingConflict } from "../bindings/index.ts";
import { formatBinding } from "./binding-url.ts";
import type { DraftParts, Placed } from "./draft-parts.ts";
import type { ConfigPath } from "./read-yaml.ts";
import { addressesOf, isEveryAddress } from "./resolve.ts";
import type { Report } from "./report.ts";
import type { SiteDraft } from "./schema.ts";

/** Checks of bindings against each other, and against the addresses of the nodes. Each map keeps the first of a key: linear work. */
export function checkBindings(parts: DraftParts, report: Report): void {
  const byName = new Map<string, Seen>();
  const byPort = new Map<number, Seen>();
  for (const seen of everyBinding(parts.sites)) {
    checkProtocol(seen, byPort, report);
    checkTaken(seen, byName, report);
  }
  checkTable(parts, report);
  checkAddresses(parts, report);
}

/** A binding, the site it belongs to, and where it is written. */
interface Seen {
  readonly binding: Binding;
  readonly site: string;
  readonly path: readonly [string, number, string, number];
}

function* everyBinding(sites: readonly Placed<SiteDraft>[]): Generator<Seen> {
  for (const { value: site, index } of sites) {
    for (const [position, binding] of site.bindings.entries())
      yield { binding, site: site.name, path: ["sites", index, "bindings", position] };
  }
}

/** A port speaks one protocol on every address, so that port and host alone tell what a request is for. */
function checkProtocol(seen: Seen, byPort: Map<number, Seen>, report: Report): void {
  const { port, protocol } = seen.binding;
  const other = byPort.get(port);
  if (other === undefined) byPort.set(port, seen);
  else if (other.binding.protocol !== protocol) {
    report.error(seen.path, `port ${port} is ${other.binding.protocol} in site ${other.site} and cannot be ${protocol} too`);
  }
}

/** A request shows its port and host; addresses do not tell sites apart. */
function checkTaken(seen: Seen, byName: Map<string, Seen>, report: Report): void {
  const { binding } = seen;
  const key = `${binding.port} ${binding.host ?? "*"}`;
  const exact = `${key} ${binding.address}`;
  const other = byName.get(key) ?? seen;
  if (other.path[1] !== seen.path[1]) {
    report.error(seen.path, `${formatBinding(binding)} is bound by site ${other.site} already: port and host must be of one site`);
  } else if (byName.has(exact)) report.error(seen.path, `${formatBinding(binding)} is written twice in site ${seen.site}`);
  byName.set(key, other);
  byName.set(exact, other);
}

/** What the binding table finds contradictory. Warnings wait for the whole: a part that is missing may be what makes it right. */
function checkTable(parts: DraftParts, report: Report): void {
  const all = [...everyBinding(parts.sites)];
  const places = new Map(all.map(({ binding, path }) => [binding, path]));
  const named = namedByRow(all);
  for (const conflict of desiredTable(all.map(({ binding }) => binding)).conflicts) {
    // checkProtocol asks for more and names both sites.
    if (conflict.code === "http-on-tls-port" || (conflict.severity === "warning" && !parts.whole)) continue;
    const place = placeOf(culprit(conflict, named) ?? conflict.bindings[0], places);
    report[conflict.severity](place, conflict.message.replace(/\.$/, ""));
  }
}

/** The first binding of each row that names a file. */
function namedByRow(all: readonly Seen[]): ReadonlyMap<string, Binding> {
  const named = new Map<string, Binding>();
  for (const { binding } of all) {
    if (fileOf(binding) === undefined) continue;
    const key = binding.sni ? `host ${binding.host ?? ""} ${binding.port}` : `ip ${binding.address} ${binding.port}`;
    if (!named.has(key)) named.set(key, binding);
  }
  return named;
}

/** The binding to look at: the one that asks for another file than the first, or the one whose row takes others' clients. */
function culprit({ code, rows, bindings }: BindingConflict, named: ReadonlyMap<string, Binding>): Binding | undefined {
  if (code === "two-files") return bindings.find((each) => fileOf(each) !== fileOf(bindings[0]));
  const row = rows[0];
  if (row?.kind === "ip") return named.get(`ip ${row.address} ${row.port}`);
  return row?.kind === "host" ? named.get(`host ${row.host} ${row.port}`) : undefined;
}

const placeOf = (binding: Binding | undefined, places: ReadonlyMap<Binding, ConfigPath>): ConfigPath =>
  (binding === undefined ? undefined : places.get(binding)) ?? ["sites"];

const fileOf = (binding: Binding | undefined): string | undefined =>
  binding === undefined || binding.certificate === "central" ? undefined : binding.certificate.file;

/** A binding to an address that no node has is served by nobody. */
function checkAddresses(parts: DraftParts, report: Report): void {
  if (!parts.whole) return;
  const addresses = new Set(parts.nodes.flatMap(({ value }) => addressesOf(value)));
  if ([...addresses].some(isEveryAddress)) return;
  for (const { binding, path } of everyBinding(parts.sites)) {
    if (binding.address !== "*" && !isEveryAddress(binding.address) && !addresses.has(binding.address))
      report.warning(path, `no node has the address ${binding.address}`);
  }
}
