import { parseIpAddress, type IpAddress } from "../../base/index.ts";
import { parsePortRange } from "../port-range.ts";

/** Where a server listens: what its `listen` says. */
export interface Listen {
  readonly address: IpAddress | "*";
  readonly port: number;
  readonly ssl: boolean;
  readonly quic: boolean;
  readonly isDefault: boolean;
  readonly proxyProtocol: boolean;
}

/**
 * The places that `listen` names: one, or each port of a range. A path of a socket gives none; text is what could not be understood.
 * `127.0.0.1:443`, `*:443`, `443`, `[::]:443`, `[::1]`, `10.0.0.4`, `0.0.0.0:8000-8010`.
 */
export function readListen(args: readonly string[]): readonly Listen[] | string {
  const [place = "", ...options] = args;
  if (place.startsWith("unix:")) return [];
  const match = /^(\[[^\]]*\]|[^:[\]]*?):?(\d+(?:-\d+)?)?$/.exec(place);
  // `443` is a port, `10.0.0.4` an address.
  const [address, range] = /^\d+(-\d+)?$/.test(place) ? ["*", place] : [match?.[1] ?? place, match?.[2] ?? "80"];
  const parsed = parseAddress(address);
  const ports = parsePortRange(range);
  if (parsed === undefined || ports === undefined) return `${place} is not an address and a port`;
  return ports.map((port) => ({
    address: parsed,
    port,
    ssl: options.includes("ssl"),
    quic: options.includes("quic"),
    isDefault: options.includes("default_server") || options.includes("default"),
    proxyProtocol: options.includes("proxy_protocol"),
  }));
}

function parseAddress(text: string): IpAddress | "*" | undefined {
  if (text === "*" || text === "" || text === "0.0.0.0") return "*";
  return parseIpAddress(text);
}
