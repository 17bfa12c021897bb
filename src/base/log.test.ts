import { expect, it, test } from "vitest";

import { instant, systemClock } from "./clock.ts";
import { createLog, silentLog, type LogLevel } from "./log.ts";

function logged(level: LogLevel | undefined, use: (log: ReturnType<typeof createLog>) => void): readonly unknown[] {
  const lines: string[] = [];
  use(
    createLog({
      write: (line) => lines.push(line),
      now: () => Date.UTC(2026, 0, 2),
      facts: { node: "web1" },
      ...(level === undefined ? {} : { level }),
    }),
  );
  expect(lines.every((line) => !line.includes("\n"))).toBe(true);
  return lines.map((line): unknown => JSON.parse(line));
}

it("writes one JSON line with time, level, message and facts, in that order", () => {
  const lines: string[] = [];
  createLog({ write: (line) => lines.push(line), now: () => 0, facts: { node: "web1" } }).warn("store is gone", { since: 5 });
  expect(lines).toEqual(['{"time":"1970-01-01T00:00:00.000Z","level":"warn","message":"store is gone","node":"web1","since":5}']);
});

test.each<[LogLevel | undefined, readonly string[]]>([
  ["debug", ["debug", "info", "warn", "error"]],
  [undefined, ["info", "warn", "error"]],
  ["warn", ["warn", "error"]],
  ["error", ["error"]],
])("at level %s writes %j", (level, expected) => {
  const lines = logged(level, (log) => {
    log.debug("d");
    log.info("i");
    log.warn("w");
    log.error("e");
  });
  expect(lines).toEqual(expected.map((name) => expect.objectContaining({ level: name, message: name[0] })));
});

it("lets a line's facts go before the log's own, but none before time, level and message", () => {
  const [line] = logged("info", (log) => {
    log.info("real", { node: "web2", message: "forged", level: "debug", time: "never" });
  });
  expect(line).toEqual({ time: "2026-01-02T00:00:00.000Z", level: "info", message: "real", node: "web2" });
});

it("keeps hostile text inside its line", () => {
  const [line] = logged("info", (log) => {
    log.info("name", { name: 'a\n{"level":"error"}\u001b[1m' });
  });
  expect(line).toMatchObject({ name: 'a\n{"level":"error"}\u001b[1m' });
});

it("can be silent", () => {
  expect(() => {
    silentLog.debug("x");
    silentLog.info("x");
    silentLog.warn("x");
    silentLog.error("x");
  }).not.toThrow();
});

it("takes the time from a clock whose differences never go back", () => {
  const before = systemClock.monotonicMs();
  expect(systemClock.now()).toBeGreaterThan(instant(Date.UTC(2024, 0)));
  expect(systemClock.monotonicMs()).toBeGreaterThanOrEqual(before);
});
