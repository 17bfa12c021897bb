import { parseHostPattern, parseIpAddress, parsePort, type HostPattern, type IpAddress } from "../base/index.ts";

/** Where an http or https binding listens. */
export interface BindingPlace {
  readonly address: IpAddress | "*";
  readonly port: number;
  /** Absent = any host. */
  readonly host?: HostPattern;
}

/** `ADDRESS:PORT:HOST`; the address is `*`, empty (the same), IPv4 or IPv6 in brackets. */
const FORM = /^(\[[^[\]]{2,60}\]|[^:[\]]{0,60}):(\d{1,5}):(.{0,260})$/;

/** The `bindingInformation` of a binding of http or https, or undefined when it is none. */
export function parseBindingInformation(text: string): BindingPlace | undefined {
  const [, where = "", digits = "", name = ""] = FORM.exec(text) ?? [];
  const port = parsePort(digits);
  const address = isAny(where) ? "*" : parseIpAddress(where);
  if (port === undefined || address === undefined) return undefined;
  // `*` as a host is any host, like none.
  if (name === "" || name === "*") return { address, port };
  const host = parseHostPattern(name);
  return host === undefined ? undefined : { address, port, host };
}

const isAny = (address: string): boolean => address === "" || address === "*" || address === "0.0.0.0";
