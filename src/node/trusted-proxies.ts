import { BlockList } from "node:net";

import { ipFamily, parseIpAddress } from "../base/index.ts";

/** Peers that may say who their client is. */
export type ProxyTrust = (peer: string) => boolean;

/** A test for addresses and CIDR ranges (`10.0.0.0/24`); what cannot be parsed was refused with farm.yaml already and matches nobody. */
export function createProxyTrust(ranges: readonly string[]): ProxyTrust {
  const list = new BlockList();
  for (const range of ranges) {
    const [text = "", prefix] = range.split("/");
    const address = parseIpAddress(text);
    if (address === undefined) continue;
    const family = ipFamily(address) === 6 ? "ipv6" : "ipv4";
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(prefix), family);
  }
  if (ranges.length === 0) return () => false;
  return (peer) => list.check(peer, peer.includes(":") ? "ipv6" : "ipv4");
}
