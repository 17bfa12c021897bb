import { ipFamily, parseEndpoint, parseHostPattern, parsePort } from "../base/index.ts";
import type { EvidenceRowKey } from "../doctor/index.ts";

/**
 * The key of a row from its text and whether a certificate's hash goes with it: the text alone does not tell host rows from central ones
 * for one host. `443` and `*:443` without a hash are central; `0.0.0.0:443` never is. undefined = neither.
 */
export function netshKey(value: string, hasHash: boolean): EvidenceRowKey | undefined {
  const bare = parsePort(value);
  if (bare !== undefined) return hasHash ? undefined : { kind: "central", port: bare };
  const endpoint = parseEndpoint(value);
  if (endpoint !== undefined) {
    const { address, port } = endpoint;
    if (address === "0.0.0.0" || address === "::") return { kind: "any", family: ipFamily(address), port };
    return { kind: "ip", address, port };
  }
  return namedKey(value, hasHash);
}

function namedKey(value: string, hasHash: boolean): EvidenceRowKey | undefined {
  const colon = value.lastIndexOf(":");
  const port = parsePort(value.slice(colon + 1));
  if (colon < 0 || port === undefined) return undefined;
  const name = value.slice(0, colon);
  if (name === "*") return hasHash ? undefined : { kind: "central", port };
  const host = parseHostPattern(name);
  if (host === undefined) return undefined;
  return hasHash ? { kind: "host", host, port } : { kind: "scoped-central", host, port };
}
