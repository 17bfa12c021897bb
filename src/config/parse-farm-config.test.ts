import * as fc from "fast-check";
import { describe, expect, it, test } from "vitest";

import { parseFarmConfig } from "./parse-farm-config.ts";
import type { FarmConfig } from "./types.ts";

const node = "farm: shop\nnodes: [{ name: web1, address: 10.0.0.4 }]\n";

/** The configuration, or a failure that shows the problems. */
function valid(yaml: string): FarmConfig {
  const reading = parseFarmConfig(yaml);
  if (reading.kind === "invalid") throw new Error(JSON.stringify(reading.problems, undefined, 1));
  return reading.config;
}

/** Problems as `line:column severity path: message`. */
function problems(yaml: string): string[] {
  const reading = parseFarmConfig(yaml);
  const list = reading.kind === "valid" ? reading.warnings : reading.problems;
  return list.map(
    (each) =>
      `${each.line}:${each.column} ${each.severity} ${each.path}: ${each.message}${each.suggestion === undefined ? "" : ` [${each.suggestion}]`}`,
  );
}

describe("parseFarmConfig", () => {
  it("fills in every default of the smallest farm", () => {
    expect(valid(`farm: shop\nnodes: [{ name: web1 }]\nsites: [{ name: www, bindings: [https://www.example.com], content: www }]`)).toEqual(
      {
        farm: "shop",
        nodes: [
          {
            name: "web1",
            addresses: ["0.0.0.0", "::"],
            ports: new Map(),
            health: { address: "0.0.0.0", port: 8081 },
            reconcile: "mend",
            weight: 1,
          },
        ],
        sites: [
          {
            name: "www",
            bindings: [{ protocol: "https", address: "*", port: 443, host: "www.example.com", sni: true, certificate: "central" }],
            serve: { kind: "content", folder: "www", index: ["index.html"] },
            redirectToHttps: false,
          },
        ],
        tls: { minVersion: "1.2", maxVersion: "1.3", alpn: ["h2", "http/1.1"], clientCertificates: "none" },
        limits: {
          handshakeTimeoutMs: 10_000,
          headersTimeoutMs: 15_000,
          requestTimeoutMs: 300_000,
          idleTimeoutMs: 60_000,
          maxHeaderBytes: 16_384,
          maxBodyBytes: 104_857_600,
          maxConnections: 10_000,
          maxLiveNames: 2_000,
          nodeHeader: "X-Served-By",
          accessLog: "w3c",
        },
      },
    );
  });

  it("finds wrong shapes, unknown keys and cross-checks in one go, in the order of the text", () => {
    expect(
      problems(`farm: shop
nodes:
  - name: web1
    adress: 10.0.0.4
  - { name: web2, weight: lots }
sites:
  - name: www
    bindings: [https://www.example.com]
    content: www
  - name: WWW
    bindings:
      - https://www.example.com
      - { host: old.example.com, sni_required: true }
    content: www
  - name: shop
    bindings: [https://www.example.com]
    content: ../shop
    tls: { minVersion: "1.1" }
  - name: blog
    bindings: [https://www.example.com]
    content: blog
`),
    ).toMatchInlineSnapshot(`
      [
        "4:5 error nodes[0].adress: unknown key "adress" [address]",
        "5:27 error nodes[1].weight: expected a number, found "lots"",
        "13:34 error sites[1].bindings[1].sni_required: unknown key "sni_required" [sni]",
        "17:14 error sites[2].content: "../shop" must be one name, without / or \\",
        "18:24 error sites[2].tls.minVersion: expected one of 1.2, 1.3, found "1.1" [1.2]",
        "20:16 error sites[3].bindings[0]: https://www.example.com is bound by site www already: port and host must be of one site",
      ]
    `);
  });

  it.each([
    [
      "an alias bomb",
      `a: &a [x,x,x,x,x,x,x,x,x,x]\n${"bcdefghijk"
        .split("")
        .map((name, at) => `${name}: &${name} [${`*${"abcdefghijk"[at]},`.repeat(9)}]`)
        .join("\n")}`,
      /aliases/,
    ],
    ["an alias that holds itself", "a: &a [*a]\n", /aliases|unresolved/i],
    ["10 MB of text", `farm: "${"x".repeat(10_000_000)}"`, /larger than 4 MiB/],
    ["a million brackets", "[".repeat(1_000_000), /nested more than 32/],
    ["a million nested maps", "a: ".repeat(100_000), /not valid YAML|nested/],
    ["nothing", "", /expected a map, found nothing/],
    ["a comment alone", "# later\n", /expected a map, found nothing/],
    ["a list", "- farm\n", /expected a map, found a list/],
    ["two documents", "farm: a\n---\nfarm: b\n", /one document only/],
    ["a tag", "farm: !!binary aGk=\nnodes: []\n", /tags are not used/],
    ["a tab as indentation", "farm: a\nnodes:\n\t- name: web1\n", /not valid YAML/],
    ["a key that is a list", "? [a]\n: 1\n", /a key must be/],
    ["a duplicate key", `${node}farm: other\n`, /duplicate key "farm"/],
    ["a merge key", "x: &x { name: web1 }\nfarm: a\nnodes: [{ <<: *x }]\n", /unknown key "<<"/],
    ["twenty thousand unknown keys", `${node}${Array.from({ length: 20_000 }, (_, at) => `key${at}: 1`).join("\n")}`, /unknown key "key0"/],
    ["a line of twenty thousand items", `[${"a,".repeat(20_000)}]`, /expected a map, found a list/],
    ["a prototype key", `${node}__proto__: { sites: [] }\n`, /unknown key "__proto__"/],
  ])("refuses %s quickly", (_, yaml, expected) => {
    const started = performance.now();
    const reading = parseFarmConfig(yaml);
    expect(performance.now() - started).toBeLessThan(10_000);
    expect(reading.kind).toBe("invalid");
    expect(problems(yaml).join("\n")).toMatch(expected);
  });

  test("any text gives a reading, and its places are inside the text", () => {
    const word = fc.constantFrom(
      "farm",
      "nodes",
      "sites",
      "name",
      "bindings",
      ":",
      " ",
      "\n",
      "- ",
      "  ",
      "{",
      "}",
      "[",
      "]",
      "&a ",
      "*a",
      "https://*",
      '"',
      "|",
      "?",
      "!!int",
      "1",
      "#",
      "\t",
      "\r",
      ",",
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: "binary" }),
          fc.array(word, { maxLength: 60 }).map((words) => words.join("")),
        ),
        (text) => {
          const reading = parseFarmConfig(text);
          const list = reading.kind === "valid" ? reading.warnings : reading.problems;
          const lines = text.split("\n").length;
          for (const each of list) expect(each.line >= 1 && each.line <= lines + 1 && each.column >= 1).toBe(true);
          expect(reading.kind === "valid" || list.length > 0).toBe(true);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
