import { lookup, Resolver } from "node:dns/promises";

import { parseHostName, parseIpAddress, systemCode, type HostName, type IpAddress } from "../base/index.ts";
import type { ExaminedHost } from "../doctor/index.ts";

/** What a name leads to. */
export type ResolvedHost = NonNullable<ExaminedHost["resolved"]>;

/** Who is asked, and for how long. */
export interface ResolveOptions {
  /** For everything together. @default 5,000 */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Resolvers to ask, `IP` or `IP:PORT`. @default those of the system, then its hosts file */
  readonly servers?: readonly string[];
}

const MAX_ADDRESSES = 64;

/** c-ares' codes for an answer that says: there is none. */
const NO_RECORD = new Set(["ENODATA", "ENOTFOUND"]);

/**
 * All A and AAAA records of a name, IPv4 first, and its CNAME. Never throws: `problem` says why there are no addresses, or why not all
 * kinds of records could be asked for.
 */
export async function resolveHost(name: HostName, options: ResolveOptions = {}): Promise<ResolvedHost> {
  const timeoutMs = options.timeoutMs ?? 5_000;
  // The system's lookup comes after the resolvers, and has its share of the time.
  const { v4, v6, cname } = await askResolvers(name, { ...options, timeoutMs: Math.ceil((timeoutMs * 2) / 3) });
  let addresses = addressesOf([...v4.records, ...v6.records]);
  if (addresses.length === 0 && options.servers === undefined) addresses = await systemAddresses(name, Math.ceil(timeoutMs / 3));
  const problem = problemOf(addresses, [v4.code, v6.code]);
  return { addresses, ...(cname === undefined ? {} : { cname }), ...(problem === undefined ? {} : { problem }) };
}

async function askResolvers(name: HostName, { servers, timeoutMs, signal }: ResolveOptions & { readonly timeoutMs: number }) {
  const resolver = new Resolver({ timeout: Math.ceil(timeoutMs / 2), tries: 2 });
  if (servers !== undefined) resolver.setServers(servers);
  const stop = (): void => resolver.cancel();
  const timer = setTimeout(stop, timeoutMs);
  signal?.addEventListener("abort", stop, { once: true });
  try {
    const asked = Promise.all([answer(resolver.resolve4(name)), answer(resolver.resolve6(name)), answer(resolver.resolveCname(name))]);
    if (signal?.aborted === true) stop();
    const [v4, v6, aliases] = await asked;
    return { v4, v6, cname: parseHostName(aliases.records[0] ?? "") };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
  }
}

interface Answer {
  readonly records: readonly string[];
  /** c-ares' code when there was no record, or no answer. */
  readonly code?: string;
}

const answer = (query: Promise<string[]>): Promise<Answer> =>
  query.then(
    (records) => ({ records }),
    (error: unknown) => ({ records: [], code: systemCode(error) ?? "EUNKNOWN" }),
  );

function addressesOf(texts: readonly string[]): readonly IpAddress[] {
  const addresses = texts.slice(0, MAX_ADDRESSES).map(parseIpAddress);
  return [...new Set(addresses.filter((address) => address !== undefined))];
}

/** What the system's own lookup says: names of its hosts file, mostly. It cannot be cancelled, so it is not waited for beyond the limit. */
async function systemAddresses(name: HostName, timeoutMs: number): Promise<readonly IpAddress[]> {
  const given = lookup(name, { all: true, order: "ipv4first" }).then(
    (found) => addressesOf(found.map(({ address }) => address)),
    () => [],
  );
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<readonly IpAddress[]>((resolve) => (timer = setTimeout(() => resolve([]), timeoutMs)));
  return Promise.race([given, late]).finally(() => clearTimeout(timer));
}

const PROBLEMS: Readonly<Record<string, string>> = {
  ENOTFOUND: "the name does not exist",
  ENODATA: "the name has no A or AAAA record",
  ESERVFAIL: "the resolver failed (SERVFAIL)",
  EREFUSED: "the resolver refuses to answer (REFUSED)",
  ETIMEOUT: "the resolver did not answer in time",
  ECANCELLED: "the resolver did not answer in time",
  ECONNREFUSED: "no resolver could be reached",
};

function problemOf(addresses: readonly IpAddress[], codes: readonly (string | undefined)[]): string | undefined {
  const failed = codes.find((code) => code !== undefined && !NO_RECORD.has(code));
  if (failed !== undefined) return PROBLEMS[failed] ?? `the resolver failed (${failed})`;
  if (addresses.length > 0) return undefined;
  const code = codes.find((one) => one !== undefined) ?? "ENODATA";
  return PROBLEMS[code] ?? code;
}
