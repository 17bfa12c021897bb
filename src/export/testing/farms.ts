import { stringify } from "yaml";

import type { FarmConfig } from "../../config/index.ts";
import { parseFarmConfig } from "../../config/parse-farm-config.ts";

/** A farm.yaml of a test, parsed. */
export function farm(parts: {
  readonly nodes?: readonly Readonly<Record<string, unknown>>[];
  readonly balancer?: Readonly<Record<string, unknown>> | undefined;
  readonly hosts?: readonly string[];
}): FarmConfig {
  const nodes = parts.nodes ?? [node(1), node(2)];
  const bindings = parts.hosts ?? ["https://www.example.com", "https://*.shop.example.com", "http://www.example.com"];
  const yaml = stringify({
    farm: "shop",
    nodes,
    ...("balancer" in parts && parts.balancer === undefined ? {} : { balancer: { address: "10.0.0.5", ...parts.balancer } }),
    sites: [{ name: "www", bindings, content: "www" }],
  });
  const reading = parseFarmConfig(yaml);
  if (reading.kind === "valid") return reading.config;
  throw new Error(reading.problems.map(({ path, message }) => `${path}: ${message}`).join("\n"));
}

/** web1 at 10.0.0.11 and so on. */
export const node = (number: number, more: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> => ({
  name: `web${number}`,
  address: `10.0.0.${10 + number}`,
  ...more,
});
