import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";

import { exportFarm, type Product } from "./index.ts";
import { farm, node } from "./testing/farms.ts";

const manyHosts = Array.from({ length: 5_000 }, (_, index) => `https://site${index}.example.com`);

/** Farms that each product must take. */
const FARMS: Readonly<Record<string, Parameters<typeof farm>[0]>> = {
  "two nodes and a balancer": {},
  "no balancer": { balancer: undefined },
  "no PROXY protocol, and clients that stay": { balancer: { proxyProtocol: false, mode: "source" } },
  "every address, in turn": {
    balancer: { mode: "round-robin", address: undefined, addresses: ["0.0.0.0", "::"], trustedBy: ["10.0.0.0/24"] },
  },
  "other ports, and a node that takes nothing": {
    balancer: { mode: "least-connections" },
    nodes: [node(1, { ports: { 443: 8443, 80: 8080 } }), node(2, { ports: { 443: 8443, 80: 8080 }, weight: 0 })],
  },
  "IPv6 alone": { nodes: [{ name: "web1", address: "2001:db8::11" }], balancer: { address: "2001:db8::5" } },
  "both families": {
    nodes: [
      { name: "web1", addresses: ["10.0.0.11", "2001:db8::11"] },
      { name: "web2", addresses: ["10.0.0.12", "2001:db8::12"] },
    ],
    balancer: { address: undefined, addresses: ["10.0.0.5", "2001:db8::5"] },
  },
  "a name below a wildcard": { hosts: ["https://*.example.com", "https://own.example.com", "https://*"] },
  "plain HTTP alone": { hosts: ["http://www.example.com"] },
  "heavy nodes": { nodes: [node(1, { weight: 1000 }), node(2, { weight: 1 })] },
  "5,000 hosts": { hosts: manyHosts },
};

const PARSED = new Map(Object.entries(FARMS).map(([name, parts]) => [name, farm(parts)]));
const parsed = (name: string) => PARSED.get(name) ?? farm({});

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "certfarm-export-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Writes the text and lets the product's own check look at it; what it says when it does not take it. */
const CHECKS: Readonly<Partial<Record<Product, (text: string) => string>>> = {
  haproxy: (text) => verdict("haproxy", ["-c", "-f", written("haproxy.cfg", text)]),
  "nginx-stream": (text) => {
    const modules = "include /etc/nginx/modules-enabled/*.conf;";
    const main = written(
      "nginx.conf",
      `pid ${folder}/pid;\nerror_log stderr;\n${modules}\nevents {}\ninclude ${written("stream.conf", text)};\n`,
    );
    return inNetwork(`nginx -t -q -c ${main}`);
  },
  keepalived: (text) => inNetwork(`keepalived -t -f ${written("keepalived.conf", text)}`),
};

function written(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function verdict(command: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: "utf8", timeout: 60_000 });
  if (error !== undefined) throw error;
  return status === 0 ? "taken" : `${stdout}${stderr}`;
}

/** In a network of its own, which has the interface and the addresses that the configuration names. */
function inNetwork(command: string): string {
  const addresses = ["10.0.0.5/24", "2001:db8::5/64"].map((address) => `ip address add ${address} dev eth0 nodad`);
  const setUp = ["ip link set lo up", "ip link add eth0 type veth peer name other", "ip link set eth0 up", ...addresses];
  return verdict("unshare", ["--map-root-user", "--net", "sh", "-ec", `${setUp.join("\n")}\n${command}`]);
}

describe.each(Object.keys(CHECKS) as Product[])("the %s configuration", (product) => {
  it.each(Object.keys(FARMS))("is taken for a farm with %s", (name) => {
    const text = exportFarm(product, parsed(name));
    expect(CHECKS[product]?.(text)).toBe("taken");
  });
});

it("bounds what HAProxy checks, however many hosts and nodes there are", () => {
  const many = Array.from({ length: 200 }, (_, index) => ({ name: `web${index}`, address: `10.1.${index >> 7}.${1 + (index & 127)}` }));
  const text = exportFarm("haproxy", farm({ nodes: many, hosts: manyHosts }));
  expect(text.match(/^ {2}server /gm)?.length).toBeLessThanOrEqual(2_048 + 200);
  expect(text).not.toContain("site4999");
});

it("checks each host of a small farm by its own name, and its group in a large one", () => {
  expect(exportFarm("haproxy", farm({}))).toContain("uri /readyz?host=*.shop.example.com&port=443");
  expect(exportFarm("haproxy", farm({ hosts: manyHosts }))).toContain("uri /readyz?group=63/64&port=443");
});

it.each(["haproxy", "nginx-stream"] as const)("sends PROXY headers by %s only as farm.yaml has it", (product) => {
  const header = product === "haproxy" ? / send-proxy-v2$/m : /proxy_protocol on;/;
  expect(exportFarm(product, farm({}))).toMatch(header);
  expect(exportFarm(product, farm({ balancer: { proxyProtocol: false } }))).not.toMatch(header);
  expect(exportFarm(product, farm({ balancer: undefined }))).not.toMatch(header);
});

describe("the AWS template", () => {
  const attribute = z.strictObject({ Key: z.string(), Value: z.string() });
  const group = z.object({
    Type: z.literal("AWS::ElasticLoadBalancingV2::TargetGroup"),
    Properties: z.strictObject({
      VpcId: z.object({ Ref: z.literal("VpcId") }),
      Protocol: z.literal("TCP"),
      Port: z.int(),
      TargetType: z.literal("ip"),
      Targets: z.array(z.strictObject({ Id: z.string(), Port: z.int() })).min(1),
      HealthCheckEnabled: z.literal(true),
      HealthCheckProtocol: z.literal("HTTP"),
      HealthCheckPort: z.string().regex(/^\d+$/),
      HealthCheckPath: z.literal("/readyz"),
      HealthCheckIntervalSeconds: z.int().min(5).max(300),
      HealthCheckTimeoutSeconds: z.int().min(2).max(120),
      HealthyThresholdCount: z.int().min(2).max(10),
      UnhealthyThresholdCount: z.int().min(2).max(10),
      Matcher: z.strictObject({ HttpCode: z.literal("200") }),
      TargetGroupAttributes: z.array(attribute),
    }),
  });
  const template = z.strictObject({
    AWSTemplateFormatVersion: z.literal("2010-09-09"),
    Description: z.string().max(1_024),
    Metadata: z.object({ Comments: z.array(z.string()) }),
    Parameters: z.record(z.string(), z.object({ Type: z.string(), Description: z.string() })),
    Resources: z.record(
      z.string().regex(/^[A-Za-z0-9]+$/),
      z.union([group, z.object({ Type: z.enum(["AWS::ElasticLoadBalancingV2::LoadBalancer", "AWS::ElasticLoadBalancingV2::Listener"]) })]),
    ),
    Outputs: z.record(z.string(), z.object({ Value: z.unknown() })),
  });

  it.each(Object.keys(FARMS))("has the shape of CloudFormation for a farm with %s", (name) => {
    const text = exportFarm("aws", parsed(name));
    template.parse(JSON.parse(text));
    expect(danglingReferences(text)).toEqual([]);
  });

  it("asks for PROXY protocol version 2 and keeps the client's address otherwise", () => {
    expect(exportFarm("aws", farm({}))).toMatch(/"proxy_protocol_v2.enabled",\s+"Value": "true"/);
    expect(exportFarm("aws", farm({ balancer: { proxyProtocol: false } }))).toMatch(/"preserve_client_ip.enabled",\s+"Value": "true"/);
  });

  /** What is referred to and not there. */
  function danglingReferences(text: string): readonly string[] {
    const { Parameters, Resources } = template.parse(JSON.parse(text));
    const names = new Set([...Object.keys(Parameters), ...Object.keys(Resources)]);
    return [...text.matchAll(/"Ref": "([^"]+)"/g)].map(([, name = ""]) => name).filter((name) => !names.has(name));
  }
});

describe("the Azure template", () => {
  const id = z.strictObject({ id: z.string().startsWith("[resourceId(") });
  const template = z.strictObject({
    $schema: z.url(),
    contentVersion: z.literal("1.0.0.0"),
    metadata: z.object({ comments: z.array(z.string()) }),
    parameters: z.record(z.string(), z.object({ type: z.literal("string"), metadata: z.object({ description: z.string() }) })),
    resources: z.tuple([
      z.object({ type: z.literal("Microsoft.Network/publicIPAddresses"), sku: z.object({ name: z.literal("Standard") }) }),
      z.object({
        type: z.literal("Microsoft.Network/loadBalancers"),
        sku: z.object({ name: z.literal("Standard") }),
        properties: z.strictObject({
          frontendIPConfigurations: z.array(z.object({ name: z.string() })).length(1),
          backendAddressPools: z.array(
            z.object({
              properties: z.object({
                loadBalancerBackendAddresses: z
                  .array(z.object({ properties: z.object({ ipAddress: z.string(), virtualNetwork: z.object({ id: z.string() }) }) }))
                  .min(1),
              }),
            }),
          ),
          probes: z.array(
            z.object({
              properties: z.strictObject({
                protocol: z.literal("Http"),
                port: z.int(),
                requestPath: z.literal("/readyz"),
                intervalInSeconds: z.int().min(5),
                probeThreshold: z.int().min(1),
              }),
            }),
          ),
          loadBalancingRules: z
            .array(
              z.object({
                properties: z.object({
                  frontendIPConfiguration: id,
                  backendAddressPool: id,
                  probe: id,
                  frontendPort: z.int(),
                  backendPort: z.int(),
                  idleTimeoutInMinutes: z.int().min(4).max(100),
                  loadDistribution: z.enum(["Default", "SourceIP"]),
                }),
              }),
            )
            .min(1),
        }),
      }),
    ]),
    outputs: z.record(z.string(), z.object({ type: z.literal("string"), value: z.string() })),
  });

  it.each(Object.keys(FARMS))("has the shape of ARM for a farm with %s", (name) => {
    template.parse(JSON.parse(exportFarm("azure", parsed(name))));
  });
});

describe("what cannot be exported is refused by name", () => {
  it.each<[string, Product, Parameters<typeof farm>[0], RegExp]>([
    ["a node that listens everywhere", "haproxy", { balancer: undefined, nodes: [{ name: "web9" }] }, /node web9 listens on every address/],
    [
      "health ports that differ, to Azure",
      "azure",
      { nodes: [node(1), node(2, { health: "10.0.0.12:9000" })] },
      /health port.*8081 on web1 and 9000 on web2/,
    ],
    ["ports that differ, to Azure", "azure", { nodes: [node(1), node(2, { ports: { 443: 8443 } })] }, /443 on web1 and 8443 on web2/],
    ["health ports that differ, to AWS", "aws", { nodes: [node(1), node(2, { health: "10.0.0.12:9000" })] }, /health port/],
    [
      "a node without IPv4 behind an IPv4 address, to LVS",
      "keepalived",
      { nodes: [node(1), { name: "web2", address: "2001:db8::12" }] },
      /web2 has no IPv4/,
    ],
  ])("%s", (_, product, parts, message) => {
    expect(() => exportFarm(product, farm(parts))).toThrow(
      expect.objectContaining({ code: "EXPORT_NOT_POSSIBLE", message: expect.stringMatching(message) }),
    );
  });
});
