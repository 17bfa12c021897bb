import type { IpAddress } from "../base/index.ts";
import type { Binding, RowKey } from "./types.ts";

/** The keys of the rows that an https binding asks for; none when it cannot have one (a named file by SNI without a host). */
export function keysOf(binding: Binding): readonly RowKey[] {
  const { address, port, host, sni, certificate } = binding;
  if (certificate === "central") return [{ kind: "central", port }];
  if (sni) return host === undefined ? [] : [{ kind: "host", host, port }];
  return address === "*" || address === "0.0.0.0" || address === "::" ? anyKeys(address, port) : [{ kind: "ip", address, port }];
}

function anyKeys(address: IpAddress | "*", port: number): readonly RowKey[] {
  const any6: RowKey = { kind: "any", family: 6, port };
  const any4: RowKey = { kind: "any", family: 4, port };
  if (address === "*") return [any6, any4];
  return [address === "::" ? any6 : any4];
}
