import { FarmError, parseEndpoint, parseHostName, parseIpAddress, parsePort, type Endpoint, type IpAddress } from "../../base/index.ts";
import { resolveHost } from "../../probe/index.ts";

/** Where a server that was named is dialled. */
export interface ServerAddresses {
  /** As it was written; the part before `=` when there is one. */
  readonly name: string;
  readonly endpoints: readonly Endpoint[];
  /** It was written as `web1=…`: all its addresses are that one server. */
  readonly isLabelled: boolean;
}

const HTTPS = 443;
const RESOLVE_MS = 5_000;

/**
 * `10.0.0.4`, `10.0.0.5:8443`, `[::1]:443`, a name with all its A and AAAA records, `NAME:PORT`; any of them after `web1=`.
 * @throws ENDPOINT_INVALID for what is none of these, or a name without addresses
 */
export async function resolveServer(text: string, signal?: AbortSignal): Promise<ServerAddresses> {
  const [, label, place = text] = /^([^=\s]{1,253})=(.*)$/s.exec(text) ?? [];
  const name = label ?? place;
  const literal = literalOf(place);
  if (literal !== undefined) return { name, endpoints: [literal], isLabelled: label !== undefined };
  const { addresses, port } = await lookUp(text, place, signal);
  return { name, endpoints: addresses.map((address) => ({ address, port })), isLabelled: label !== undefined };
}

async function lookUp(
  text: string,
  place: string,
  signal: AbortSignal | undefined,
): Promise<{ readonly addresses: readonly IpAddress[]; readonly port: number }> {
  const [, hostText = place, portText] = /^(.*):(\d{1,5})$/.exec(place) ?? [];
  const host = parseHostName(hostText);
  const port = portText === undefined ? HTTPS : parsePort(portText);
  if (host === undefined || port === undefined) throw invalid(text, "it is neither an address nor a name");
  const { addresses, problem } = await resolveHost(host, { timeoutMs: RESOLVE_MS, ...(signal === undefined ? {} : { signal }) });
  if (addresses.length === 0) throw invalid(text, problem ?? "the name has no address");
  return { addresses, port };
}

function literalOf(text: string): Endpoint | undefined {
  const address = parseIpAddress(text.replace(/^\[(.*)\]$/, "$1"));
  return address === undefined ? parseEndpoint(text) : { address, port: HTTPS };
}

const invalid = (text: string, why: string): FarmError =>
  new FarmError("ENDPOINT_INVALID", `${JSON.stringify(text.slice(0, 300))} cannot be dialled: ${why}`, {
    facts: { text: text.slice(0, 300) },
  });
