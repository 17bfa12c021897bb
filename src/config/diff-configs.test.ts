import { describe, expect, it } from "vitest";

import { diffConfigs } from "./diff-configs.ts";
import { parseFarmConfig } from "./parse-farm-config.ts";
import { textDiff } from "./text-diff.ts";
import type { FarmConfig } from "./types.ts";

function configOf(yaml: string): FarmConfig {
  const reading = parseFarmConfig(yaml);
  if (reading.kind === "invalid") throw new Error(JSON.stringify(reading.problems));
  return reading.config;
}

const before = `farm: shop
nodes:
  - { name: web1, address: 10.0.0.4 }
  - { name: web2, address: 10.0.0.5 }
balancer: { address: 10.0.0.100 }
sites:
  - { name: www, bindings: [https://www.example.com, http://www.example.com], content: www }
  - { name: old, bindings: [https://old.example.com], redirect: https://www.example.com }
`;

const after = `farm: shop
nodes:
  - { name: web1, address: 10.0.0.4, ports: { 443: 8443 }, weight: 3 }
  - { name: web3, address: 10.0.0.6 }
balancer: { address: 10.0.0.100, mode: source, idleTimeout: 10m }
tls: { minVersion: "1.3" }
sites:
  - name: www
    bindings: [https://www.example.com, { host: shop.example.com, certificate: shop.pfx }, http://www.example.com]
    proxy: { upstreams: [http://10.0.1.5:8080], timeout: 90s }
    hsts: { maxAge: 1y, preload: true, includeSubDomains: true }
    tls: { clientCertificates: require, clientCa: staff.pem }
  - { name: new, bindings: [https://new.example.com], content: new }
limits: { maxBodySize: 1GiB, nodeHeader: off }
`;

describe("diffConfigs", () => {
  it("tells what changed, by node and site", () => {
    expect(diffConfigs(configOf(before), configOf(after))).toEqual([
      { subject: "node web1", change: "changed", details: ["ports: as bound → 443→8443", "weight: 1 → 3"] },
      { subject: "node web3", change: "added", details: [] },
      { subject: "balancer", change: "changed", details: ["mode: five-tuple → source", "idleTimeout: 5m → 10m"] },
      {
        subject: "site www",
        change: "changed",
        details: [
          "+ https://shop.example.com (certificate shop.pfx)",
          "serves: content www (index index.html) → proxy to http://10.0.1.5:8080 (timeout 90s, the client's Host)",
          "hsts: none → 1y, with subdomains, preload",
          "tls versions: none → 1.3 to 1.3",
          "tls alpn: none → h2 http/1.1",
          "tls clientCertificates: none → require",
          "tls clientCa: none → staff.pem",
        ],
      },
      { subject: "site new", change: "added", details: ["+ https://new.example.com"] },
      { subject: "tls", change: "changed", details: ["versions: 1.2 to 1.3 → 1.3 to 1.3"] },
      { subject: "limits", change: "changed", details: ["maxBodySize: 100MiB → 1GiB", "nodeHeader: X-Served-By → off"] },
      { subject: "node web2", change: "removed", details: [] },
      { subject: "site old", change: "removed", details: ["- https://old.example.com"] },
    ]);
  });

  it("finds nothing between a configuration and the same one in other words", () => {
    const other = before.replace("https://www.example.com,", "{ protocol: https, host: WWW.example.com., port: 443, sni: true },");
    expect(diffConfigs(configOf(before), configOf(other))).toEqual([]);
  });

  it("tells everything as added when there was nothing", () => {
    expect(new Set(diffConfigs(undefined, configOf(before)).map((each) => each.change))).toEqual(new Set(["added"]));
  });
});

describe("textDiff", () => {
  const side = (label: string, text: string): { label: string; text: string } => ({ label, text });

  it("is a unified diff with three lines of context", () => {
    const lines = Array.from({ length: 12 }, (_, at) => `line ${at + 1}`);
    const changed = lines.with(5, "line six");
    expect(textDiff(side("revision 1", `${lines.join("\n")}\n`), side("revision 2", `${changed.join("\n")}\n`))).toBe(
      `--- revision 1
+++ revision 2
@@ -3,7 +3,7 @@
 line 3
 line 4
 line 5
-line 6
+line six
 line 7
 line 8
 line 9
`,
    );
  });

  it("is empty for equal texts", () => expect(textDiff(side("a", before), side("b", before))).toBe(""));

  it("says so when texts have next to nothing in common, in bounded time", () => {
    const lines = (word: string): string => Array.from({ length: 15_000 }, (_, at) => `${word}${at}`).join("\n");
    const started = performance.now();
    expect(textDiff(side("a", lines("x")), side("b", lines("y")))).toBe("a and b differ in more than 2000 lines\n");
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});
