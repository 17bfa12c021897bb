import { describe, expect, it, test } from "vitest";

import { createSymbols } from "../symbols.ts";
import { hostileReport } from "../testing/hostile-report.ts";
import { GOOD, NOT_LOOKED, brokenFarm, finding, report, reset } from "../testing/sample-report.ts";
import { createPaint, displayWidth } from "../text.ts";
import type { Look } from "../look.ts";
import { exitCodeOf, renderReport } from "./render-report.ts";
import { wrap } from "./wrap.ts";

function look(columns: number | undefined, environment: Readonly<Record<string, string>> = {}): Look {
  const terminal = { write: () => {}, isTerminal: columns !== undefined, columns };
  return { paint: createPaint(terminal, environment), symbols: createSymbols(terminal, environment), columns };
}
const PLAIN = look(undefined);
const nodes24 = (...ill: readonly number[]) => Array.from({ length: 24 }, (_each, at) => (ill.includes(at) ? reset() : GOOD));

describe("the report of a broken farm", () => {
  const text = renderReport(brokenFarm(), PLAIN, ["certfarm repair --dry-run"]);

  it("begins with what is wrong, the matrix with equal hosts together, and how many are well", () => {
    expect(text.split("\n").slice(0, 6)).toEqual([
      "✗ 39 hosts on 4 nodes: 3 errors  2026-06-15T12:00:00Z",
      "",
      "HOST                        web1       web2         web3         web4",
      "www.example.com and 1 more  ✓          ✗ reset [1]  ✗ reset [2]  ✗ wrong name [3]",
      "old.example.com             ✗ expired  ✗ expired    ✗ expired    ✗ expired",
      "✓ 36 more hosts are served alike by all nodes",
    ]);
  });

  it("tells each finding: where, how we know, what to do and what that changes, and what else is possible", () => {
    expect(text).toContain(
      [
        "[3] ✗ web4 serves CN=legacy.example.com for every name on 10.0.0.4:443",
        "    where       web4: www.example.com, shop.example.com; other nodes are not concerned; explains 2 cells",
        "    we know     no row at all on port 443 (web3: netsh http show sslcert)",
        "                2 bindings ask for a central certificate on port 443: www.example.com and shop.example.com",
        "                (applicationHost.config)",
        "    unsure      another cause remains possible: a proxy in front of web4 ends TLS itself; what would decide: the binding",
        "                table of web4",
        "    do          Add the central row for port 443 on web3.",
      ].join("\n"),
    );
  });

  it("ends with what could not be looked at, and the next command", () => {
    expect(text).toContain(
      "! Could not be looked at:\n  web2: events: the event log could not be read: access denied\n  1 rule had too little to go by (--json says what each needs)\n\n→ certfarm repair --dry-run\n",
    );
  });
});

describe("the matrix", () => {
  it("shows few hosts one by one, also those that are well", () => {
    expect(
      renderReport(report({ "a.example": [GOOD, GOOD], "b.example": [reset(), GOOD], "c.example": [reset(), GOOD] }), PLAIN),
    ).toContain("HOST       web1     web2\nb.example  ✗ reset  ✓\nc.example  ✗ reset  ✓\na.example  ✓        ✓\n");
  });

  it("folds a wide farm to the nodes that differ", () => {
    expect(renderReport(report({ "a.example": nodes24(7), "b.example": nodes24(7, 9) }), look(100, { NO_COLOR: "1" }))).toContain(
      "HOST       web1 +21  web8     web10\nb.example  ✓         ✗ reset  ✗ reset\na.example  ✓         ✗ reset  ✓\nweb1 +21: web1, web2,",
    );
  });

  it("counts the nodes where there is no room for columns", () => {
    const text = renderReport(report({ "www.a-rather-long-name.example.com": [GOOD, reset(), reset()] }), look(40, { NO_COLOR: "1" }));
    expect(text).toContain("www.a-rather-long-name.example.com\n  ✓: web1\n  ✗ reset: web2, web3\n");
  });

  it("lists the nodes where no host was dialled", () => {
    const named = finding({ nodes: ["web2"] });
    const nodes = [
      { name: "web1", role: "node", make: "iis" },
      { name: "web2", role: "node", make: "iis" },
      { name: "web3", role: "node" },
    ] as const;
    const evidence = report({ "a.example": [NOT_LOOKED, NOT_LOOKED, NOT_LOOKED] }, { nodes, findings: [named] });
    const text = renderReport(evidence, PLAIN);
    expect(text).toMatch(/^✗ 3 nodes: 1 error /);
    expect(text).toContain("NODE  MAKE  FINDINGS\nweb1  iis   ✓\nweb2  iis   ✗ [1]\nweb3  ·     ·\n");
  });

  it("makes what differs between nodes bold on a terminal, and only that", () => {
    const text = renderReport(report({ a: [GOOD, reset()], b: [reset(), reset()] }), look(80));
    expect(text).toContain("\u001b[1m\u001b[31m✗ reset");
    expect(text.split("\n").find((line) => line.startsWith("b "))).not.toContain("\u001b[1m");
  });
});

describe("a terminal that has no such signs", () => {
  it.each([
    ["the Linux console", { TERM: "linux" }, 80],
    ["a dumb terminal", { TERM: "dumb" }, 80],
    ["a locale of another character set", { LANG: "de_DE.ISO-8859-1" }, undefined],
    ["LC_ALL before LANG", { LC_ALL: "C", LANG: "en_GB.UTF-8" }, undefined],
  ])("%s gets ASCII alone", (_name, environment, columns) => {
    const text = renderReport(brokenFarm(), look(columns, { NO_COLOR: "1", ...environment }), ["certfarm repair"]);
    expect(text).toMatch(/^[\n -~]*$/);
    expect(text).toContain("X reset [1]");
    expect(text).toContain("ok 36 more hosts");
  });

  it.each([[{ LANG: "en_GB.UTF-8" }], [{ LC_ALL: "C.utf8" }], [{}]])("%s gets the signs", (environment) => {
    expect(renderReport(brokenFarm(), look(80, environment))).toContain("✗");
  });
});

test("nothing of a peer reaches the terminal but plain text, and no text is endless", () => {
  for (const columns of [40, 80, undefined]) {
    const text = renderReport(hostileReport(), look(columns, { NO_COLOR: "1" }), ["certfarm \u001b[2J"]);
    expect(text).not.toMatch(/[^\n\P{C}]/u);
    expect(text.length).toBeLessThan(30_000);
  }
});

test("ten thousand hosts on four nodes, all broken in their own way, are told in bounded time and room", () => {
  const rows = Object.fromEntries(
    Array.from({ length: 10_000 }, (_each, at) => [`host${at}.example.com`, [GOOD, reset(`F-${at}`), reset(`F-${at}`), GOOD]]),
  );
  const findings = Array.from({ length: 10_000 }, (_each, at) => finding({ id: `F-${at}`, hosts: [`host${at}.example.com`] }));
  const gaps = Array.from({ length: 10_000 }, (_each, at) => ({ node: `web${at}`, what: "probes", why: "the same" }));
  const started = performance.now();
  const text = renderReport(report(rows, { findings, gaps }), look(100));
  expect(performance.now() - started).toBeLessThan(20_000);
  expect(text.length).toBeLessThan(40_000);
  expect(text).toContain("9960 more hosts in 9960 other patterns: --json and --html show all");
  expect(text).toContain("9970 more findings");
  expect(text).toContain("web0, web1, web2, web3 and 9996 more: probes: the same");
});

describe("the exit code", () => {
  it.each([
    ["0 when all is well", report({ a: [GOOD] }), 0],
    ["0 with a notice", report({ a: [GOOD] }, { findings: [finding({ severity: "notice" })] }), 0],
    ["1 with a warning", report({ a: [GOOD] }, { findings: [finding({ severity: "warning" })] }), 1],
    ["1 with an error", brokenFarm(), 1],
    ["2 when no cell was dialled and there is no evidence", report({ a: [NOT_LOOKED] }), 2],
    ["0 with evidence alone", report({}, { nodes: [{ name: "web1", role: "node", make: "iis" }] }), 0],
  ])("is %s", (_name, given, code) => {
    expect(exitCodeOf(given)).toBe(code);
  });

  it("1 for warnings alone is no alarm in the first line", () => {
    expect(renderReport(report({ a: [GOOD] }, { findings: [finding({ severity: "warning" })] }), PLAIN)).toMatch(
      /^! 1 host on 1 node: 1 warning /,
    );
  });

  it("2 is said in the first line", () => {
    expect(renderReport(report({ a: [NOT_LOOKED] }), PLAIN)).toMatch(/^! nothing could be looked at/);
  });
});

describe("wrapped text", () => {
  it.each([
    ["words up to the width", "aa bb cc", 5, ["aa bb", "cc"]],
    ["a long word whole", "a verylongword b", 5, ["a", "verylongword", "b"]],
    ["nothing", "", 5, [""]],
  ])("%s", (_name, text, width, lines) => {
    expect(wrap(text, width)).toEqual(lines);
  });

  it("keeps findings within the terminal", () => {
    for (const line of renderReport(brokenFarm(), look(72, { NO_COLOR: "1" })).split("\n"))
      expect(displayWidth(line)).toBeLessThanOrEqual(72);
  });
});
