import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { formatDuration, formatSize } from "./duration.ts";
import { formatProblems } from "./format-problems.ts";
import { parseFarmConfig } from "./parse-farm-config.ts";
import { farmSchema } from "./schema.ts";

const tour = readFileSync(new URL("../../docs/configuration.md", import.meta.url), "utf8");
const examples = [...tour.matchAll(/^```yaml\n(.*?)^```$/gms)].map((match) => match[1] ?? "").filter((text) => text.startsWith("farm:"));

interface JsonSchema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
}

/** The paths of all keys, list positions as `[]`. */
function keysOf(schema: JsonSchema, path: string): [path: string, schema: JsonSchema][] {
  const below = Object.entries(schema.properties ?? {}).flatMap(([key, value]): [string, JsonSchema][] => [
    [`${path}${key}`, value],
    ...keysOf(value, `${path}${key}.`),
  ]);
  const items = schema.items === undefined ? [] : keysOf(schema.items, `${path.slice(0, -1)}[].`);
  return [...below, ...items, ...(schema.anyOf ?? []).flatMap((form) => keysOf(form, path))];
}

describe("docs/configuration.md", () => {
  it("has examples that are valid without a warning", () => {
    expect(examples).toHaveLength(2);
    for (const example of examples) {
      const reading = parseFarmConfig(example);
      const problems = reading.kind === "valid" ? reading.warnings : reading.problems;
      expect(formatProblems("farm.yaml", problems, example)).toBe("");
    }
  });

  it("names every key of the schema in its complete example, and says what it is for", () => {
    for (const [path, schema] of keysOf(farmSchema(), "")) {
      const key = path.split(".").at(-1) ?? "";
      expect(examples[1], path).toMatch(new RegExp(`\\b${key}: ?`));
      expect(schema.description, path).toMatch(/\S/);
    }
  });

  it("gives the defaults that the program has", () => {
    const reading = parseFarmConfig("farm: a\nnodes: [{ name: n, address: 10.0.0.4 }]\nbalancer: { address: 10.0.0.100 }\n");
    if (reading.kind === "invalid") throw new Error(formatProblems("farm.yaml", reading.problems, ""));
    const { limits, balancer } = reading.config;
    const values: Record<string, string | undefined> = {
      "limits.handshakeTimeout": formatDuration(limits.handshakeTimeoutMs),
      "limits.headersTimeout": formatDuration(limits.headersTimeoutMs),
      "limits.requestTimeout": formatDuration(limits.requestTimeoutMs),
      "limits.idleTimeout": formatDuration(limits.idleTimeoutMs),
      "limits.maxHeaderSize": formatSize(limits.maxHeaderBytes),
      "limits.maxBodySize": formatSize(limits.maxBodyBytes),
      "limits.maxConnections": String(limits.maxConnections),
      "limits.maxLiveNames": String(limits.maxLiveNames),
      "limits.nodeHeader": `\`${limits.nodeHeader}\``,
      "limits.accessLog": `\`${limits.accessLog}\``,
      "balancer.mode": `\`${balancer?.mode}\``,
      "balancer.connectTimeout": formatDuration(balancer?.connectTimeoutMs ?? 0),
      "balancer.idleTimeout": formatDuration(balancer?.idleTimeoutMs ?? 0),
      "balancer.drainTimeout": formatDuration(balancer?.drainTimeoutMs ?? 0),
    };
    for (const [key, value] of Object.entries(values)) expect(tour).toContain(`| \`${key}\` | ${value} |`);
  });

  it("shows a problem as it is printed", () => {
    const yaml = `${"\n".repeat(9)}farm: shop\nnodes: [{ name: web1 }]\nsites: [{ name: www, content: www, bindings: [\n      { host: a.example, sni_required: true }] }]\n`;
    const reading = parseFarmConfig(yaml);
    expect(reading.kind === "invalid" && formatProblems("farm.yaml", reading.problems, yaml)).toBe(
      [
        'farm.yaml:13:26 error unknown key "sni_required" (did you mean "sni"?)',
        "  13 |       { host: a.example, sni_required: true }] }]",
        "     |                          ^",
      ].join("\n"),
    );
  });
});

/** After a change of the schema: npx vitest run --project pure src/config/documentation.test.ts -u */
describe("schema/farm.schema.json", () => {
  it("is the schema that the program checks by", async () => {
    await expect(`${JSON.stringify(farmSchema(), undefined, 2)}\n`).toMatchFileSnapshot("../../schema/farm.schema.json");
  });
});
