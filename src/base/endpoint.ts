import { FarmError } from "./errors.ts";

/** An IP address in its canonical text form (RFC 5952 for IPv6), without brackets or zone. */
export type IpAddress = string & { readonly __brand: "IpAddress" };

/** An address and a TCP port. */
export interface Endpoint {
  readonly address: IpAddress;
  readonly port: number;
}

const OCTET = /^(?:0|[1-9]\d{0,2})$/;

function isIpv4(text: string): boolean {
  const parts = text.split(".");
  return parts.length === 4 && parts.every((part) => OCTET.test(part) && Number(part) <= 255);
}

/**
 * The canonical form of an IPv4 or IPv6 address, or undefined. IPv4-mapped IPv6 (`::ffff:10.0.0.4`, as dual-stack
 * sockets report it) becomes the IPv4 address; a zone (`%eth0`) is dropped.
 */
export function parseIpAddress(text: string): IpAddress | undefined {
  if (isIpv4(text)) return text as IpAddress; // canonical already
  const bare = text.replace(/^\[(.*)\]$/, "$1").replace(/%.*$/, "");
  if (!/^[0-9a-fA-F:.]{2,45}$/.test(bare) || !bare.includes(":")) return undefined;
  try {
    const canonical = new URL(`http://[${bare}]/`).hostname.slice(1, -1);
    const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(canonical);
    if (mapped === null) return canonical as IpAddress; // URL canonicalises by RFC 5952
    const [high, low] = [Number.parseInt(mapped[1] ?? "", 16), Number.parseInt(mapped[2] ?? "", 16)];
    return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}` as IpAddress;
  } catch {
    return undefined;
  }
}

/** 4 or 6. */
export const ipFamily = (address: IpAddress): 4 | 6 => (address.includes(":") ? 6 : 4);

/** A port number from 1 to 65535 in plain decimal, or undefined. */
export function parsePort(text: string): number | undefined {
  if (!/^[1-9]\d{0,4}$/.test(text)) return undefined;
  const port = Number(text);
  return port <= 65535 ? port : undefined;
}

/** `10.0.0.4:443` or `[2001:db8::4]:443` as an Endpoint, or undefined. */
export function parseEndpoint(text: string): Endpoint | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  if (match === null) return undefined;
  const address = parseIpAddress(match[1] ?? match[2] ?? "");
  const port = parsePort(match[3] ?? "");
  return address === undefined || port === undefined ? undefined : { address, port };
}

/** Like parseEndpoint, for operators' input. @throws ENDPOINT_INVALID */
export function requireEndpoint(text: string): Endpoint {
  const endpoint = parseEndpoint(text);
  if (endpoint === undefined) throw new FarmError("ENDPOINT_INVALID", `${JSON.stringify(text.slice(0, 100))} is not IP:PORT`);
  return endpoint;
}

/** An endpoint as text, IPv6 in brackets. */
export function formatEndpoint(endpoint: Endpoint): string {
  return ipFamily(endpoint.address) === 6 ? `[${endpoint.address}]:${endpoint.port}` : `${endpoint.address}:${endpoint.port}`;
}
