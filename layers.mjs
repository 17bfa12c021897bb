/**
 * The rooms under src/, lowest line first. A room imports rooms on LOWER lines only, through their index.ts.
 * The checker's rules (.dependency-cruiser.mjs) and the architecture test are generated from this table.
 */
export const LAYERS = [
  ["base"],
  ["pki", "workers"],
  ["bindings"],
  ["config", "handshake"],
  ["doctor", "store"],
  ["identity", "secrets"],
  ["audit", "export", "iis", "peers", "probe", "certificates", "replica", "web"],
  ["node", "balancer"],
  ["operations"],
  ["admin"],
  ["cli"],
  ["app"],
];

/** Rooms that decide: no sockets, files, clocks or processes. */
export const PURE = ["base", "pki", "bindings", "config", "handshake", "doctor", "iis", "peers", "export"];

/** Files that other rooms may enter besides index.ts. */
export const SIDE_DOORS = [
  "workers/testing/compile",
  "identity/testing/test-identities",
  "store/conformance",
  "store/testing/etcd",
  "store/store-options",
  "store/whole-store",
  "secrets/farm-key-options",
  "pki/certificate",
  "identity/join-shapes",
  "admin/client",
  "config/parse-farm-config",
  "config/text-diff",
];
