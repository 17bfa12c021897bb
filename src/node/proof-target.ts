import { ipFamily, parseHostName, parseIpAddress, type HostName, type HostPattern, type IpAddress } from "../base/index.ts";

/** A name that a node proves of itself on one binding port. */
export interface ProofTarget {
  /** As bound: `*.example.com` for a wildcard. */
  readonly shown: HostPattern;
  /** As dialled. */
  readonly host: HostName;
  readonly port: number;
}

/** The label that stands for any label below a wildcard. */
const WILDCARD_LABEL = "certfarm-proof";

/** What to dial for a bound name. */
export function boundTarget(shown: HostPattern, port: number): ProofTarget | undefined {
  const host = parseHostName(shown.startsWith("*.") ? `${WILDCARD_LABEL}${shown.slice(1)}` : shown);
  return host === undefined ? undefined : { shown, host, port };
}

/** What to dial for a name that somebody asks about; undefined = not a host name. */
export function askedTarget(text: string, port: number): ProofTarget | undefined {
  const host = parseHostName(text);
  return host === undefined ? undefined : { shown: host as string as HostPattern, host, port }; // a HostName is a HostPattern
}

export const targetKey = (host: string, port: number): string => `${port} ${host}`;

/** Where a listener is reached from the machine itself. */
export function dialAddress(address: IpAddress): IpAddress {
  if (address !== "0.0.0.0" && address !== "::") return address;
  return parseIpAddress(ipFamily(address) === 4 ? "127.0.0.1" : "::1") ?? address;
}
