import { parseIpAddress, type IpAddress } from "../../base/index.ts";
import { parsePortRange } from "../port-range.ts";

/** Where a `bind` listens. */
export interface BindAddress {
  readonly address: IpAddress | "*";
  readonly port: number;
}

/**
 * The places that the first word of `bind` names: `:443`, `*:443,[::]:443`, `10.0.0.4:8000-8010`, `ipv6@:::443`. Sockets, QUIC and inherited
 * descriptors give none; text is what could not be understood.
 */
export function readBindAddresses(text: string): readonly BindAddress[] | string {
  const places: BindAddress[] = [];
  for (const one of text.split(",")) {
    const match = /^(?:(?:stream\+)?(ipv4|ipv6|tcp|tcp4|tcp6|quic4|quic6|unix|uxst|uxdg|abns|fd|sockpair|rhttp|udp|udp4|udp6)@)?(.*)$/.exec(
      one,
    );
    const [, family = "", rest = ""] = match ?? [];
    if (rest.startsWith("/") || /^(quic|u|abns|fd|sockpair|rhttp)/.test(family)) continue;
    const colon = rest.lastIndexOf(":");
    const address = addressOf(rest.slice(0, Math.max(colon, 0)), family);
    const ports = colon < 0 ? undefined : parsePortRange(rest.slice(colon + 1));
    if (address === undefined || ports === undefined) return `${one} is not an address and a port`;
    for (const port of ports) places.push({ address, port });
  }
  return places;
}

function addressOf(text: string, family: string): IpAddress | "*" | undefined {
  if (text === "" || text === "*" || text === "0.0.0.0") return family.endsWith("6") ? parseIpAddress("::") : "*";
  return parseIpAddress(text);
}
