import { FarmError } from "../../../base/index.ts";

/** One member of an etcd cluster, as clients reach it. */
export interface EtcdMember {
  /** A name or an address; IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
}

/** An etcd address in parts. */
export interface EtcdAddress {
  /** TLS. */
  readonly secure: boolean;
  readonly members: readonly EtcdMember[];
  /** Where the farm's keys lie, without slashes at the ends. */
  readonly prefix: string;
  /** The address again, for people. It never held a password. */
  readonly text: string;
}

const FORM = /^etcd(s?):\/\/([^/?#]+)(?:\/([A-Za-z0-9._~/-]*))?$/;
const MEMBER = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+))(?::(\d{1,5}))?$/;
const MAX_MEMBERS = 15;
const DEFAULT_PORT = 2379;
const DEFAULT_PREFIX = "certfarm";
const FORM_TEXT = "etcds://HOST:PORT,HOST:PORT/PREFIX (etcd:// without TLS)";

const invalid = (problem: string): FarmError => new FarmError("STORE_URL_INVALID", `etcd address: ${problem}; the form is ${FORM_TEXT}`);

/**
 * Reads `etcds://HOST[:PORT],HOST[:PORT]…[/PREFIX]`; the port is 2379 and the prefix `certfarm` unless told.
 * @throws STORE_URL_INVALID, without the text of what could be a password
 */
export function parseEtcdAddress(text: string): EtcdAddress {
  if (text.includes("@")) throw invalid("it names a user; user and password are given apart from it");
  const [, tls, hosts = "", path = ""] = FORM.exec(text) ?? [];
  if (tls === undefined) throw invalid(`${JSON.stringify(text.slice(0, 120))} is not one`);
  const members = hosts.split(",").map(parseMember);
  if (members.length > MAX_MEMBERS) throw invalid(`it names more than ${MAX_MEMBERS} members`);
  const prefix = path.replace(/^\/+|\/+$/g, "") || DEFAULT_PREFIX;
  if (prefix.split("/").some((part) => part === "" || part === "." || part === ".."))
    throw invalid("its prefix has an empty part, . or ..");
  return { secure: tls === "s", members, prefix, text };
}

function parseMember(text: string): EtcdMember {
  const [, six, name, digits] = MEMBER.exec(text) ?? [];
  const host = six ?? name;
  const port = digits === undefined ? DEFAULT_PORT : Number(digits);
  if (host === undefined || port < 1 || port > 65_535) throw invalid(`${JSON.stringify(text.slice(0, 120))} is not HOST:PORT`);
  return { host, port };
}

/** `host:port` for messages. */
export const memberName = ({ host, port }: EtcdMember): string => `${host.includes(":") ? `[${host}]` : host}:${port}`;

/** Whether a member is on this machine, so that nothing crosses a network on the way to it. */
export const isLoopback = ({ host }: EtcdMember): boolean => host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
