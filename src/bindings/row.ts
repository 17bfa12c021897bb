import { parseHostPattern, parseIpAddress } from "../base/index.ts";
import { CERTFARM_APP_ID, parseAppId } from "./application-id.ts";
import { invalid, rowKeyText } from "./row-key.ts";
import type { Row, RowKey, RowOrigin } from "./types.ts";

/** A plain file name: no separators, no control characters, nothing that leads elsewhere. */
// eslint-disable-next-line no-control-regex -- control characters are what is refused
const FILE_NAME = /^(?!\.{1,2}$)[^/\\\u0000-\u001f\u007f]{1,255}$/;

/**
 * A valid row. `file` is a name in the central certificates: needed, except on central rows, which have none.
 * @throws BINDING_ROW_INVALID
 */
export function createRow(settings: {
  readonly key: RowKey;
  readonly file?: string;
  readonly origin: RowOrigin;
  /** Any spelling of a GUID. @default CERTFARM_APP_ID */
  readonly appId?: string;
}): Row {
  const { key, file, origin, appId = CERTFARM_APP_ID } = settings;
  return validateRow({ key, ...(file === undefined ? {} : { file }), origin, appId: parseAppId(appId) ?? appId });
}

/**
 * Checks a row that came from outside (a file, a request). Returns the row itself.
 * @throws BINDING_ROW_INVALID that says what is wrong
 */
export function validateRow(row: Row): Row {
  if (!isObject(row) || !isObject(row.key)) throw invalid(JSON.stringify(row) ?? "undefined", "it has no key");
  const problem = keyProblem(row.key) ?? fileProblem(row) ?? ownerProblem(row);
  if (problem !== undefined) throw invalid(shown(row.key), problem);
  return row;
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}

/** rowKeyText for keys that may be anything. */
function shown(key: RowKey): string {
  return keyProblem(key) === undefined ? rowKeyText(key) : (JSON.stringify(key) ?? "nothing");
}

function keyProblem(key: RowKey): string | undefined {
  if (!isPort(key.port)) return "its port is not from 1 to 65535";
  switch (key.kind) {
    case "ip":
      return addressProblem(key.address);
    case "host":
      return isHostPattern(key.host) ? undefined : "its host is not a host name in normal form";
    case "central":
      return undefined;
    case "any":
      return key.family === 4 || key.family === 6 ? undefined : "its family is neither 4 nor 6";
    default:
      return "its kind is none of ip, host, central and any";
  }
}

function isPort(port: unknown): boolean {
  return typeof port === "number" && Number.isInteger(port) && port >= 1 && port <= 65535;
}

function addressProblem(address: unknown): string | undefined {
  if (typeof address !== "string" || parseIpAddress(address) !== address) return "its address is not an IP address in normal form";
  return address === "0.0.0.0" || address === "::" ? "0.0.0.0 and :: make an any row" : undefined;
}

function isHostPattern(host: unknown): boolean {
  return typeof host === "string" && parseHostPattern(host) === host;
}

function fileProblem(row: Row): string | undefined {
  if (row.key.kind === "central") {
    return row.file === undefined ? undefined : `a central row names no file (the host name chooses it), this one names ${row.file}`;
  }
  if (row.file === undefined) return "it needs the name of a certificate file";
  return FILE_NAME.test(row.file) ? undefined : `${JSON.stringify(row.file.slice(0, 300))} is not the plain name of a file`;
}

function ownerProblem(row: Row): string | undefined {
  if (row.origin !== "configuration" && row.origin !== "operator") return "its origin is neither configuration nor operator";
  return typeof row.appId === "string" && parseAppId(row.appId) === row.appId
    ? undefined
    : `its application id ${JSON.stringify(row.appId)} is not a GUID such as ${CERTFARM_APP_ID}`;
}
