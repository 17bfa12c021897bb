import { parseIpAddress, type Endpoint, type IpAddress } from "../base/index.ts";
import type { DraftParts } from "./draft-parts.ts";
import type { BalancerDraft, Draft, NodeDraft, SiteDraft, TlsDraft } from "./schema.ts";
import type { BalancerConfig, FarmConfig, Limits, NodeConfig, SiteConfig, SiteService, TlsPolicy } from "./types.ts";

const literal = (text: string): IpAddress => {
  const address = parseIpAddress(text);
  if (address === undefined) throw new TypeError(text);
  return address;
};

const EVERY_ADDRESS: readonly IpAddress[] = [literal("0.0.0.0"), literal("::")];
const NODE_HEALTH_PORT = 8081;
const BALANCER_HEALTH_PORT = 8082;

/** `0.0.0.0` and `::` can be listened on, not dialled. */
export const isEveryAddress = (address: string): boolean => address === "0.0.0.0" || address === "::";

/** The addresses of a node or balancer: `address`, `addresses`, or all. */
export function addressesOf(draft: {
  readonly address?: IpAddress | undefined;
  readonly addresses?: readonly IpAddress[] | undefined;
}): readonly IpAddress[] {
  return draft.addresses ?? (draft.address === undefined ? EVERY_ADDRESS : [draft.address]);
}

function healthOf(draft: { readonly health?: Endpoint | undefined }, addresses: readonly IpAddress[], port: number): Endpoint {
  const address = addresses.find((each) => !isEveryAddress(each)) ?? addresses[0] ?? literal("0.0.0.0");
  return draft.health ?? { address, port };
}

/** A node with its defaults. */
export function resolveNode(draft: NodeDraft): NodeConfig {
  const addresses = addressesOf(draft);
  const { name, reconcile, weight } = draft;
  return { name, addresses, ports: draft.ports ?? new Map(), health: healthOf(draft, addresses, NODE_HEALTH_PORT), reconcile, weight };
}

/** The ports that sites bind, ascending. */
export function boundPorts(sites: readonly { readonly bindings: SiteDraft["bindings"] }[]): readonly number[] {
  const ports = new Set<number>();
  for (const site of sites) for (const binding of site.bindings) ports.add(binding.port);
  return [...ports].sort((a, b) => a - b);
}

/** The balancer with its defaults. */
export function resolveBalancer(draft: BalancerDraft, ports: readonly number[]): BalancerConfig {
  const addresses = addressesOf(draft);
  const own = addresses.filter((each) => !isEveryAddress(each));
  return {
    addresses,
    ports: draft.ports ?? new Map(ports.map((port) => [port, port])),
    mode: draft.mode,
    proxyProtocol: draft.proxyProtocol,
    trustedBy: draft.trustedBy ?? (draft.proxyProtocol ? own : []),
    connectTimeoutMs: draft.connectTimeout,
    idleTimeoutMs: draft.idleTimeout,
    drainTimeoutMs: draft.drainTimeout,
    health: healthOf(draft, addresses, BALANCER_HEALTH_PORT),
  };
}

const DEFAULT_POLICY: TlsPolicy = { minVersion: "1.2", maxVersion: "1.3", alpn: ["h2", "http/1.1"], clientCertificates: "none" };

/** A policy whose gaps are filled from another one. */
export function resolveTls(draft: TlsDraft, inherited: TlsPolicy = DEFAULT_POLICY): TlsPolicy {
  const clientCertificates = draft.clientCertificates ?? inherited.clientCertificates;
  const clientCaFile = draft.clientCa ?? inherited.clientCaFile;
  return {
    minVersion: draft.minVersion ?? inherited.minVersion,
    maxVersion: draft.maxVersion ?? inherited.maxVersion,
    alpn: draft.alpn ?? inherited.alpn,
    clientCertificates,
    ...(clientCertificates === "none" || clientCaFile === undefined ? {} : { clientCaFile }),
  };
}

function serviceOf(site: SiteDraft): SiteService {
  if (site.content !== undefined) return { kind: "content", ...site.content };
  if (site.proxy !== undefined) return { kind: "proxy", ...site.proxy };
  if (site.redirect !== undefined) return { kind: "redirect", ...site.redirect };
  throw new TypeError(`site ${site.name} has no service`); // checkSites reported it before
}

function resolveSite(draft: SiteDraft, farmTls: TlsPolicy): SiteConfig {
  const { hsts } = draft;
  return {
    name: draft.name,
    bindings: draft.bindings,
    ...(draft.tls === undefined ? {} : { tls: resolveTls(draft.tls, farmTls) }),
    serve: serviceOf(draft),
    ...(hsts === undefined
      ? {}
      : { hsts: { maxAgeS: Math.floor(hsts.maxAgeMs / 1_000), includeSubDomains: hsts.includeSubDomains, preload: hsts.preload } }),
    redirectToHttps: draft.redirectToHttps,
  };
}

function resolveLimits(draft: Draft["limits"]): Limits {
  return {
    handshakeTimeoutMs: draft.handshakeTimeout,
    headersTimeoutMs: draft.headersTimeout,
    requestTimeoutMs: draft.requestTimeout,
    idleTimeoutMs: draft.idleTimeout,
    maxHeaderBytes: draft.maxHeaderSize,
    maxBodyBytes: draft.maxBodySize,
    maxConnections: draft.maxConnections,
    maxLiveNames: draft.maxLiveNames,
    ...(draft.nodeHeader === "off" ? {} : { nodeHeader: draft.nodeHeader }),
    accessLog: draft.accessLog,
  };
}

/** A draft without errors as the configuration that the farm runs by. */
export function resolveFarm(draft: Draft, parts: DraftParts): FarmConfig {
  const tls = resolveTls(draft.tls);
  return {
    farm: draft.farm,
    nodes: draft.nodes.map(resolveNode),
    ...(parts.balancer === undefined ? {} : { balancer: resolveBalancer(parts.balancer, boundPorts(draft.sites)) }),
    sites: draft.sites.map((site) => resolveSite(site, tls)),
    tls,
    limits: resolveLimits(draft.limits),
  };
}
