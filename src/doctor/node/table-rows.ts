import { ipFamily, wildcardOf, type Endpoint, type HostName, type IpAddress } from "../../base/index.ts";
import type { CentralFile, EvidenceRow, NodeEvidence, TableEvidence } from "../evidence.ts";
import type { ProbeOutcome } from "../observation.ts";

type Served = Extract<ProbeOutcome, { kind: "served" }>;

interface PortRows {
  readonly ip: Map<string, EvidenceRow>;
  readonly host: Map<string, EvidenceRow>;
  readonly scoped: Map<string, EvidenceRow>;
  central?: EvidenceRow;
  any4?: EvidenceRow;
  any6?: EvidenceRow;
}

const indexes = new WeakMap<TableEvidence, ReadonlyMap<number, PortRows>>();

/** The rows of a port, found in constant time. */
export function rowsOfPort(table: TableEvidence, port: number): PortRows | undefined {
  const known = indexes.get(table) ?? indexRows(table.rows);
  indexes.set(table, known);
  return known.get(port);
}

function indexRows(rows: readonly EvidenceRow[]): ReadonlyMap<number, PortRows> {
  const ports = new Map<number, PortRows>();
  for (const row of rows) {
    const there = ports.get(row.key.port) ?? { ip: new Map(), host: new Map(), scoped: new Map() };
    ports.set(row.key.port, there);
    put(there, row);
  }
  return ports;
}

function put(rows: PortRows, row: EvidenceRow): void {
  const { key } = row;
  switch (key.kind) {
    case "ip":
      rows.ip.set(key.address, row);
      break;
    case "host":
      rows.host.set(key.host, row);
      break;
    case "scoped-central":
      rows.scoped.set(key.host, row);
      break;
    case "central":
      rows.central = row;
      break;
    case "any":
      if (key.family === 6) rows.any6 = row;
      else rows.any4 = row;
  }
}

/** The port that bindings and rows name for an endpoint that was dialled; the same unless the node maps ports. */
export function bindingPort({ listeners }: NodeEvidence, endpoint: Endpoint): number {
  const mapped = listeners?.find(
    (listener) =>
      listener.endpoint.port === endpoint.port && (isAny(listener.endpoint.address) || listener.endpoint.address === endpoint.address),
  );
  return mapped?.bindingPort ?? endpoint.port;
}

const isAny = (address: IpAddress): boolean => address === "0.0.0.0" || address === "::";

/**
 * The addresses at which a connection to the endpoint may arrive: its own, when the node has it or its addresses are not known; else it is
 * translated on the way, and any of the node's may be meant.
 */
export function arrivesAt({ addresses }: NodeEvidence, { address }: Endpoint): readonly IpAddress[] {
  return addresses === undefined || addresses.length === 0 || addresses.includes(address) ? [address] : addresses;
}

/** Rows that come into question for a handshake with SNI, in the order in which HTTP.sys and certfarm look; empty without a table. */
export function rowsFor(evidence: NodeEvidence, endpoint: Endpoint, host: HostName): readonly EvidenceRow[] {
  const rows = evidence.table === undefined ? undefined : rowsOfPort(evidence.table, bindingPort(evidence, endpoint));
  if (rows === undefined) return [];
  const wildcard = wildcardOf(host) ?? "";
  return [
    ...arrivesAt(evidence, endpoint).map((address) => rows.ip.get(address)),
    rows.host.get(host) ?? rows.host.get(wildcard),
    rows.scoped.get(host) ?? rows.scoped.get(wildcard),
    rows.central,
    ipFamily(endpoint.address) === 6 ? rows.any6 : undefined,
    rows.any4,
  ].filter((row) => row !== undefined);
}

/** Whether a row takes a handshake before the central row is looked at. */
export const ranksBeforeCentral = ({ key }: EvidenceRow): boolean => key.kind !== "central" && key.kind !== "any";

/** The certificate that a row names: as the row says, or what the central file that it names holds. */
export function rowThumbprint(row: EvidenceRow, { central }: NodeEvidence): string | undefined {
  if (row.thumbprint !== undefined || row.file === undefined) return row.thumbprint;
  const file = central?.files === undefined ? undefined : fileNamed(central.files, row.file);
  return file?.inUse?.thumbprint ?? file?.reading?.facts?.leaf.thumbprint;
}

const fileIndexes = new WeakMap<readonly CentralFile[], ReadonlyMap<string, CentralFile>>();

/** The file of a listing with exactly this name. */
export function fileNamed(files: readonly CentralFile[], name: string): CentralFile | undefined {
  const known = fileIndexes.get(files) ?? new Map(files.map((file) => [file.name, file]));
  fileIndexes.set(files, known);
  return known.get(name);
}

/** Whether what was served is the certificate that the row names; a row's hash is SHA-1 or SHA-256. */
export function servesRow(served: Served, row: EvidenceRow, evidence: NodeEvidence): boolean {
  const thumbprint = rowThumbprint(row, evidence);
  return thumbprint !== undefined && (thumbprint === served.thumbprint || thumbprint === served.sha256);
}
