import { parseIpAddress } from "../base/index.ts";

const LOOPBACK = ["127.0.0.1", "localhost", "[::1]"];

/**
 * Whether a Host header names the admin API: by a loopback name, by one of `names`, and where `addresses` are taken by any IP address. A page
 * that points a name of its own here cannot make a browser send any of them.
 */
export function isKnownHost(
  host: string | undefined,
  { names, addresses }: { readonly names: readonly string[]; readonly addresses: boolean },
): boolean {
  const name = host?.replace(/:\d{1,5}$/, "").toLowerCase();
  if (name === undefined || name === "") return false;
  if (LOOPBACK.includes(name) || names.some((known) => known.toLowerCase() === name)) return true;
  return addresses && parseIpAddress(name) !== undefined;
}
