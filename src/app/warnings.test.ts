import { describe, expect, it, test } from "vitest";

import { createWarnings, readable } from "./warnings.ts";

const inner = JSON.stringify({ time: "2026-01-02T03:04:05.678Z", level: "warn", message: "a node is not ready", node: "web2", port: 443 });
const relayed = JSON.stringify({ time: "2026-01-02T03:04:06.000Z", level: "warn", message: inner, process: "balancer" });

test.each([
  ["a line that a process wrote", relayed, "03:04:05 balancer warn: a node is not ready (node: web2, port: 443)\n"],
  ["a line of this process", `${inner}\n`, "03:04:05 warn: a node is not ready (node: web2, port: 443)\n"],
  ["text that is no log line", "Segmentation fault", "Segmentation fault\n"],
  ["text that begins like one", "{ broken\n", "{ broken\n"],
])("%s is told for people", (_name, line, wanted) => {
  expect(readable(line)).toBe(wanted);
});

describe("warnings while the farm starts", () => {
  it("are held, and dropped when it serves; later ones are told", () => {
    const told: string[] = [];
    const warnings = createWarnings((text) => told.push(text));
    warnings.add("early");
    warnings.dropHeld();
    warnings.add("late");
    expect(told).toEqual(["late\n"]);
  });

  it("are told when it does not start, the first fifty", () => {
    const told: string[] = [];
    const warnings = createWarnings((text) => told.push(text));
    for (let at = 0; at < 60; at += 1) warnings.add(`w${at}`);
    warnings.tellHeld();
    expect([told.length, told[0]]).toEqual([50, "w0\n"]);
  });
});
