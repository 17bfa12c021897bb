import { describe, expect, it } from "vitest";

import { createSymbols } from "../symbols.ts";
import { hostileReport } from "../testing/hostile-report.ts";
import { AT, GOOD, NOT_LOOKED, finding, report, reset } from "../testing/sample-report.ts";
import { createPaint } from "../text.ts";
import { compareReports, isUnchanged } from "./compare-reports.ts";
import { renderChanges, renderSince } from "./render-changes.ts";
import type { DoctorReport } from "./types.ts";

const terminal = { write: () => {}, isTerminal: false, columns: undefined };
const LOOK = { paint: createPaint(terminal, {}), symbols: createSymbols(terminal, {}), columns: undefined };
const told = (before: DoctorReport, after: DoctorReport): string =>
  renderChanges(compareReports(before, { ...after, at: AT + 5_000 }), LOOK, true);

describe("what changed between two reports", () => {
  it("is nothing when only times differ", () => {
    const before = report({ a: [GOOD, reset("F-1")] }, { findings: [finding({ id: "F-1" })] });
    const after = report({ a: [{ ...GOOD, tookMs: 900 }, reset("F-1")] }, { findings: [finding({ id: "F-1" })] });
    const changes = compareReports(before, after);
    expect(isUnchanged(changes)).toBe(true);
    expect(renderSince(changes, LOOK)).toBe("Since 2026-06-15T12:00:00Z: nothing changed\n");
  });

  it.each<[string, DoctorReport, DoctorReport, string]>([
    [
      "a finding appears",
      report({}),
      report({}, { findings: [finding()] }),
      "✗ new: web3 has no central row on port 443 (central-row-missing F-00000001)",
    ],
    [
      "a finding is gone",
      report({}, { findings: [finding()] }),
      report({}),
      "✓ gone: web3 has no central row on port 443 (central-row-missing F-00000001)",
    ],
    [
      "a finding is worse",
      report({}, { findings: [finding({ severity: "notice" })] }),
      report({}, { findings: [finding()] }),
      "! changed: web3 has no central row on port 443 (central-row-missing F-00000001)",
    ],
    ["a cell fails", report({ a: [GOOD] }), report({ a: [reset()] }), "≠ a on web1: ✓ good → ✗ reset"],
    ["a cell is mended", report({ a: [reset()] }), report({ a: [GOOD] }), "≠ a on web1: ✗ reset → ✓ good"],
    [
      "a cell fails in another way",
      report({ a: [reset()] }),
      report({ a: [{ ...reset(), text: "alert internal_error" }] }),
      "≠ a on web1: ✗ reset → ✗ alert",
    ],
    [
      "a certificate takes another's place",
      report({ a: [GOOD] }),
      report({ a: [{ ...GOOD, thumbprint: "B".repeat(40) }] }),
      "≠ a on web1: ✓ good → ✓ good, certificate AAAAAAAA replaced by BBBBBBBB valid until 2026-08-14T12:00:00Z",
    ],
    ["a host is new", report({}), report({ a: [GOOD] }), "≠ a on web1: not looked at → ✓ good"],
    ["a host is not looked at any more", report({ a: [GOOD] }), report({ a: [NOT_LOOKED] }), "≠ a on web1: ✓ good → not looked at"],
  ])("%s", (_name, before, after, line) => {
    expect(told(before, after)).toBe(`2026-06-15T12:00:05Z  ${line}\n`);
  });

  it("finds nodes by their names, not by their places", () => {
    const before = report({ a: [GOOD, reset()] });
    const after = report({ a: [reset(), GOOD] }, { nodes: before.nodes.toReversed() });
    expect(isUnchanged(compareReports(before, after))).toBe(true);
  });

  it("is told in bounded room, and without harm", () => {
    const many = report(Object.fromEntries(Array.from({ length: 5_000 }, (_each, at) => [`h${at}`, [reset()]])));
    const text = told(report({}), many);
    expect(text.split("\n")).toHaveLength(22);
    expect(text).toContain("≠ 4980 more cells changed");
    for (const [before, after] of [
      [report({}), hostileReport()],
      [hostileReport(), report({})],
    ] as const) {
      expect(told(before, after)).not.toMatch(/[^\n\P{C}]/u);
      expect(told(before, after).length).toBeLessThan(8_000);
    }
  });
});
