import { z } from "zod";

import { binding } from "./binding-shape.ts";
import {
  addressRange,
  authorityFile,
  contentFolder,
  duration,
  endpoint,
  fileName,
  headerName,
  ipAddress,
  name,
  portMap,
  redirectTarget,
  size,
  upstream,
} from "./scalars.ts";

/** More of anything is a mistake, not a farm. */
const MAX_NODES = 1_000;
const MAX_SITES = 100_000;
const MAX_BINDINGS = 200_000;

/** Numbers, because people leave the quotes off: `minVersion: 1.2`. */
const tlsVersion = z
  .literal(["1.2", "1.3", 1.2, 1.3])
  .transform((value) => (String(value) === "1.2" ? ("1.2" as const) : ("1.3" as const)));

const tls = z.strictObject({
  minVersion: tlsVersion.optional().describe("Oldest TLS version that is accepted. Default 1.2."),
  maxVersion: tlsVersion.optional().describe("Newest TLS version that is offered. Default 1.3."),
  alpn: z
    .array(z.enum(["h2", "http/1.1"]))
    .min(1)
    .max(2)
    .optional()
    .describe("Protocols in order of preference. Default [h2, http/1.1]."),
  clientCertificates: z
    .enum(["none", "request", "require"])
    .optional()
    .describe("Whether clients are asked for a certificate. Default none."),
  clientCa: authorityFile
    .optional()
    .describe("Authorities that client certificates must come from: a PEM file below certificates/authorities/ of the store."),
});

const node = z.strictObject({
  name: name.describe("Name of the node, unique in the farm."),
  address: ipAddress.optional().describe("The address it listens on. Default: all of them (0.0.0.0 and ::)."),
  addresses: z.array(ipAddress).min(1).max(64).optional().describe("The addresses it listens on, when there are several."),
  ports: portMap.optional().describe("Port of a binding: port that is really listened on. Ports that are not named are used as they are."),
  health: endpoint.optional().describe("Where /readyz answers. Default: the first address that can be dialled, port 8081."),
  reconcile: z
    .enum(["mend", "observe"])
    .default("mend")
    .describe("mend: drift of the binding table is undone; observe: it is only reported."),
  weight: z.int().min(0).max(1000).default(1).describe("Share of the balancer's connections; 0 = none."),
});

const balancer = z.strictObject({
  address: ipAddress.optional().describe("The address the balancer listens on."),
  addresses: z.array(ipAddress).min(1).max(64).optional().describe("The addresses the balancer listens on, when there are several."),
  ports: portMap.optional().describe("Port of a binding: port the balancer listens on. Default: every bound port as it is."),
  mode: z
    .enum(["five-tuple", "source", "round-robin", "least-connections"])
    .default("five-tuple")
    .describe("How connections are spread. source keeps a client on one node."),
  proxyProtocol: z.boolean().default(true).describe("Send PROXY protocol v2 to the nodes, so that they know the client's address."),
  trustedBy: z
    .array(addressRange)
    .min(1)
    .max(64)
    .optional()
    .describe("Addresses that nodes accept PROXY headers from. Default: the balancer's own addresses."),
  connectTimeout: duration("10ms", "1m")
    .default(2_000)
    .meta({ description: "How long a node may take to accept. Default 2s.", default: "2s" }),
  idleTimeout: duration("1s", "7d")
    .default(300_000)
    .meta({ description: "How long a connection may be silent. Default 5m.", default: "5m" }),
  drainTimeout: duration("1s", "1d")
    .default(30_000)
    .meta({ description: "How long a drained node may keep connections. Default 30s.", default: "30s" }),
  health: endpoint.optional().describe("Where the balancer's own state answers. Default: its first address, port 8082."),
});

const content = z.union([
  contentFolder.transform((folder) => ({ folder, index: ["index.html"] })),
  z.strictObject({
    folder: contentFolder.describe("Folder below content/ of the store."),
    index: z.array(fileName).max(16).default(["index.html"]).describe("Files that stand for a folder, first match."),
  }),
]);

const DEFAULT_PROXY_TIMEOUT_MS = 30_000;

const proxy = z.union([
  upstream.transform((url) => ({ upstreams: [url], timeoutMs: DEFAULT_PROXY_TIMEOUT_MS, preserveHost: true })),
  z
    .strictObject({
      upstreams: z.array(upstream).min(1).max(256).describe("URLs of the servers behind, without paths."),
      timeout: duration("1s", "1d")
        .default(DEFAULT_PROXY_TIMEOUT_MS)
        .meta({ description: "How long a server may take to answer. Default 30s.", default: "30s" }),
      preserveHost: z.boolean().default(true).describe("Pass the client's Host on. Default true."),
    })
    .transform(({ timeout, ...rest }) => ({ ...rest, timeoutMs: timeout })),
]);

const redirect = z.union([
  redirectTarget.transform((to) => ({ to, status: 308 as const, keepPath: true })),
  z.strictObject({
    to: redirectTarget.describe("Where to, as an absolute URL."),
    status: z.literal([301, 302, 303, 307, 308]).default(308).describe("Default 308: permanent, the method stays."),
    keepPath: z.boolean().default(true).describe("Append the path and query of the request. Default true."),
  }),
]);

const maxAge = duration("0s", "10y");

const hsts = z.union([
  maxAge.transform((ms) => ({ maxAgeMs: ms, includeSubDomains: false, preload: false })),
  z
    .strictObject({
      maxAge: maxAge.describe("How long browsers insist on https."),
      includeSubDomains: z.boolean().default(false).describe("Also for every name below."),
      preload: z.boolean().default(false).describe("Agree to be built into browsers: hard to undo."),
    })
    .transform(({ maxAge, ...rest }) => ({ ...rest, maxAgeMs: maxAge })),
]);

const site = z.strictObject({
  name: name.describe("Name of the site, unique in the farm."),
  bindings: z.array(binding).min(1).max(MAX_BINDINGS).describe("What the site answers to."),
  content: content.optional().describe("Serve files: a folder below content/ of the store."),
  proxy: proxy.optional().describe("Pass requests on to servers behind."),
  redirect: redirect.optional().describe("Send clients somewhere else."),
  redirectToHttps: z.boolean().default(false).describe("Redirect http requests to https. Default false."),
  hsts: hsts.optional().describe("Strict-Transport-Security on https answers, e.g. 1y. Default: not sent."),
  tls: tls.optional().describe("TLS policy of this site; what is not named comes from the farm's."),
});

const limits = z.strictObject({
  handshakeTimeout: duration("100ms", "2m").default(10_000).meta({ description: "TLS handshake. Default 10s.", default: "10s" }),
  headersTimeout: duration("100ms", "10m").default(15_000).meta({ description: "Headers of a request. Default 15s.", default: "15s" }),
  requestTimeout: duration("1s", "1d").default(300_000).meta({ description: "A whole request, body included. Default 5m.", default: "5m" }),
  idleTimeout: duration("1s", "1d").default(60_000).meta({ description: "A kept connection between requests. Default 1m.", default: "1m" }),
  maxHeaderSize: size("1KiB", "1MiB").default(16_384).meta({ description: "Headers of a request. Default 16KiB.", default: "16KiB" }),
  maxBodySize: size("0B", "1024GiB").default(104_857_600).meta({ description: "Body of a request. Default 100MiB.", default: "100MiB" }),
  maxConnections: z.int().min(1).max(1_000_000).default(10_000).describe("Connections of one node at a time."),
  maxLiveNames: z.int().min(1).max(1_000_000).default(2_000).describe("TLS contexts a node keeps ready in memory."),
  nodeHeader: headerName
    .default("X-Served-By")
    .meta({ description: "Response header that names the node; off = none. Default X-Served-By.", default: "X-Served-By" }),
  accessLog: z.enum(["w3c", "json", "off"]).default("w3c").describe("Form of the access log."),
});

/** farm.yaml: the one description of its form, of the defaults that need no other part of it, and of the help that editors show. */
export const farmShape = z.strictObject({
  farm: name.describe("Name of the farm."),
  nodes: z.array(node).min(1).max(MAX_NODES).describe("The servers that end TLS."),
  balancer: balancer.optional().describe("The layer-4 front. Without it clients dial the nodes."),
  sites: z.array(site).max(MAX_SITES).default([]).describe("The web sites."),
  tls: tls.prefault({}).describe("TLS policy of every site that has none of its own."),
  limits: limits.prefault({}).describe("Bounds that protect a node."),
});

/** Parts that can be read on their own when another part of the file is wrong. */
export const partShapes = { node, site, balancer, tls } as const;

/** farm.yaml as farmShape reads it: forms made one, references and inherited values still open. */
export type Draft = z.output<typeof farmShape>;
/** A site of a draft. */
export type SiteDraft = Draft["sites"][number];
/** A node of a draft. */
export type NodeDraft = Draft["nodes"][number];
/** The balancer of a draft. */
export type BalancerDraft = NonNullable<Draft["balancer"]>;
/** A TLS policy of a draft. */
export type TlsDraft = Draft["tls"];

/** JSON Schema (2020-12) of farm.yaml, for editors; published as schema/farm.schema.json. */
export function farmSchema(): Readonly<Record<string, unknown>> {
  const { $schema, ...rest } = z.toJSONSchema(farmShape, { io: "input" });
  return {
    $schema,
    title: "farm.yaml of certfarm",
    description: "The shared configuration of a web farm: nodes, balancer, sites.",
    ...rest,
  };
}
