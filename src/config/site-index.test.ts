import { describe, expect, it } from "vitest";

import { requireHostName } from "../base/index.ts";
import { parseFarmConfig } from "./parse-farm-config.ts";
import { bindingsOf, createSiteIndex, policyFor, servedPorts } from "./site-index.ts";
import type { FarmConfig } from "./types.ts";

function configOf(yaml: string): FarmConfig {
  const reading = parseFarmConfig(yaml);
  if (reading.kind === "invalid") throw new Error(JSON.stringify(reading.problems.slice(0, 5)));
  return reading.config;
}

const config = configOf(`farm: a
nodes: [{ name: web1 }]
tls: { minVersion: "1.2", alpn: [http/1.1] }
sites:
  - { name: exact, bindings: [https://www.example.com, http://www.example.com], content: a, tls: { minVersion: "1.3" } }
  - { name: wildcard, bindings: ["https://*.example.com"], content: a }
  - { name: any, bindings: ["https://*"], content: a, tls: { clientCertificates: request, clientCa: ca.pem } }
  - { name: other-port, bindings: [https://www.example.com:8443], content: a }
`);
const index = createSiteIndex(config);

describe("SiteIndex.find", () => {
  it.each([
    ["the exact host before the wildcard", "https", 443, "www.example.com", "exact"],
    ["the wildcard for another first label", "https", 443, "shop.example.com", "wildcard"],
    ["any host for two labels in place of the wildcard's one", "https", 443, "a.b.example.com", "any"],
    ["any host for the wildcard's own parent", "https", 443, "example.com", "any"],
    ["any host for a single label", "https", 443, "localhost", "any"],
    ["any host for a client that names none", "https", 443, undefined, "any"],
    ["another site on another port", "https", 8443, "www.example.com", "other-port"],
    ["the site of the other protocol", "http", 80, "www.example.com", "exact"],
    ["no site for another name on a port without any-host binding", "http", 80, "shop.example.com", undefined],
    ["no site on a port that nobody binds", "https", 444, "www.example.com", undefined],
    ["no site for the other protocol on the same port", "http", 443, "www.example.com", undefined],
    ["no site for a client that names none where every binding has a host", "https", 8443, undefined, undefined],
  ] as const)("finds %s", (_, protocol, port, host, site) => {
    expect(index.find(protocol, port, host === undefined ? undefined : requireHostName(host))?.name).toBe(site);
  });

  it("lists the hosts of https bindings once, patterns among them", () => {
    expect(index.httpsHosts).toEqual([
      { host: "www.example.com", port: 443, site: "exact" },
      { host: "*.example.com", port: 443, site: "wildcard" },
      { host: "www.example.com", port: 8443, site: "other-port" },
    ]);
  });
});

describe("policyFor", () => {
  it.each([
    [
      "the site's, filled up from the farm's",
      443,
      "www.example.com",
      { minVersion: "1.3", maxVersion: "1.3", alpn: ["http/1.1"], clientCertificates: "none" },
    ],
    [
      "the farm's for a site without one",
      443,
      "shop.example.com",
      { minVersion: "1.2", maxVersion: "1.3", alpn: ["http/1.1"], clientCertificates: "none" },
    ],
    [
      "the site's that takes clients without a name",
      443,
      undefined,
      { minVersion: "1.2", maxVersion: "1.3", alpn: ["http/1.1"], clientCertificates: "request", clientCaFile: "ca.pem" },
    ],
    [
      "the farm's where no site is",
      444,
      "www.example.com",
      { minVersion: "1.2", maxVersion: "1.3", alpn: ["http/1.1"], clientCertificates: "none" },
    ],
  ] as const)("is %s", (_, port, host, policy) => {
    expect(policyFor(config, index, port, host === undefined ? undefined : requireHostName(host))).toEqual(policy);
  });
});

it("names the ports to listen on and their protocols, ascending", () => {
  expect(servedPorts(config)).toEqual([
    { port: 80, protocol: "http" },
    { port: 443, protocol: "https" },
    { port: 8443, protocol: "https" },
  ]);
  expect(bindingsOf(config)).toHaveLength(5);
});

it("reads and indexes 100,000 bindings, and looks one up in constant time", { timeout: 60_000 }, () => {
  const hosts = Array.from({ length: 100_000 }, (_, at) => `h${at}.example.com`);
  const yaml = `farm: a\nnodes: [{ name: web1 }]\nsites:\n- name: www\n  content: www\n  bindings:\n${hosts.map((host) => `  - https://${host}`).join("\n")}\n`;
  const large = configOf(yaml);
  const started = performance.now();
  const built = createSiteIndex(large);
  expect(built.httpsHosts).toHaveLength(100_000);
  for (const host of hosts) if (built.find("https", 443, requireHostName(host)) === undefined) throw new Error(host);
  expect(performance.now() - started).toBeLessThan(3_000);
});
