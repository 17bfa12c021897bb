import * as fc from "fast-check";
import { describe, expect, it, test } from "vitest";

import { diffTables, driftText, mendTable } from "./drift.ts";
import { rowKeyText } from "./row-key.ts";
import { createTable } from "./table.ts";
import { row, table } from "./testing/rows.ts";
import type { BindingTable } from "./types.ts";

const summary = (desired: BindingTable, actual: BindingTable, hosts?: ReadonlySet<string>): readonly string[] =>
  diffTables(desired, actual, hosts).map(({ kind, key, mend }) => `${kind} ${rowKeyText(key)} ${mend}`);

const CENTRAL = ["central:443"];

describe("drift", () => {
  test.each<[string, readonly string[], readonly string[], readonly string[]]>([
    ["nothing differs", CENTRAL, CENTRAL, []],
    ["a row that is missing comes", CENTRAL, [], ["missing central:443 add"]],
    [
      "a row of an earlier configuration goes",
      CENTRAL,
      ["central:443", "host:old.example:443 old.pfx"],
      ["extra host:old.example:443 remove"],
    ],
    [
      "a row with another file is put right",
      ["host:a.example:443 a.pfx"],
      ["host:a.example:443 b.pfx"],
      ["different host:a.example:443 replace"],
    ],
    [
      "an operator's row on a wanted key is put right",
      ["host:a.example:443 a.pfx"],
      ["host:a.example:443 b.pfx by operator"],
      ["different host:a.example:443 replace"],
    ],
    ["an operator's row that serves the same is no drift", ["host:a.example:443 a.pfx"], ["host:a.example:443 a.pfx by operator"], []],
    [
      "an operator's ip row shadows the central row and goes",
      CENTRAL,
      ["central:443", "ip:10.0.0.4:443 x.pfx by operator"],
      ["extra ip:10.0.0.4:443 remove"],
    ],
    [
      "an operator's ip row shadows host rows and goes",
      ["host:a.example:443 a.pfx"],
      ["host:a.example:443 a.pfx", "ip:10.0.0.4:443 x.pfx by operator"],
      ["extra ip:10.0.0.4:443 remove"],
    ],
    [
      "an operator's ip row with the default certificate changes nothing and stays",
      ["any:[::]:443 d.pfx", "any:0.0.0.0:443 d.pfx"],
      ["any:[::]:443 d.pfx", "any:0.0.0.0:443 d.pfx", "ip:10.0.0.4:443 d.pfx by operator"],
      ["extra ip:10.0.0.4:443 keep"],
    ],
    [
      "an operator's row for another address than a wanted ip row stays",
      ["ip:10.0.0.5:443 a.pfx"],
      ["ip:10.0.0.5:443 a.pfx", "ip:10.0.0.4:443 x.pfx by operator"],
      ["extra ip:10.0.0.4:443 keep"],
    ],
    [
      "an operator's row on another port stays",
      CENTRAL,
      ["central:443", "ip:10.0.0.4:8172 wm.pfx by operator"],
      ["extra ip:10.0.0.4:8172 keep"],
    ],
    [
      "an operator's default certificate stays: everything else is looked at first",
      CENTRAL,
      ["central:443", "any:0.0.0.0:443 d.pfx by operator"],
      ["extra any:0.0.0.0:443 keep"],
    ],
    [
      "an operator's 0.0.0.0 row behind a wanted [::] row stays",
      ["any:[::]:443 d.pfx"],
      ["any:[::]:443 d.pfx", "any:0.0.0.0:443 x.pfx by operator"],
      ["extra any:0.0.0.0:443 keep"],
    ],
    [
      "an operator's [::] row before a wanted 0.0.0.0 row goes",
      ["any:0.0.0.0:443 d.pfx"],
      ["any:0.0.0.0:443 d.pfx", "any:[::]:443 x.pfx by operator"],
      ["extra any:[::]:443 remove"],
    ],
    [
      "an operator's exact host row under a wanted wildcard goes",
      ["host:*.example.com:443 w.pfx"],
      ["host:*.example.com:443 w.pfx", "host:www.example.com:443 x.pfx by operator"],
      ["extra host:www.example.com:443 remove"],
    ],
    [
      "an operator's wildcard over a wanted exact host stays",
      ["host:www.example.com:443 a.pfx"],
      ["host:www.example.com:443 a.pfx", "host:*.example.com:443 x.pfx by operator"],
      ["extra host:*.example.com:443 keep"],
    ],
    [
      "an operator's central row before a wanted default goes",
      ["any:0.0.0.0:443 d.pfx"],
      ["any:0.0.0.0:443 d.pfx", "central:443 by operator"],
      ["extra central:443 remove"],
    ],
    [
      "an operator's row for a host that nobody configured stays",
      CENTRAL,
      ["central:443", "host:new.example:443 n.pfx by operator"],
      ["extra host:new.example:443 keep"],
    ],
    [
      "an operator's row for a configured host goes",
      CENTRAL,
      ["central:443", "host:www.example.com:443 x.pfx by operator"],
      ["extra host:www.example.com:443 remove"],
    ],
    [
      "an operator's row under a configured wildcard goes",
      CENTRAL,
      ["central:443", "host:a.wild.example:443 x.pfx by operator"],
      ["extra host:a.wild.example:443 remove"],
    ],
    [
      "an operator's wildcard over a configured host goes",
      CENTRAL,
      ["central:443", "host:*.example.com:443 x.pfx by operator"],
      ["extra host:*.example.com:443 remove"],
    ],
    [
      "an operator's wildcard over the parent only stays",
      CENTRAL,
      ["central:443", "host:*.www.example.com:443 x.pfx by operator"],
      ["extra host:*.www.example.com:443 keep"],
    ],
    [
      "an operator's wildcard one label up stays",
      CENTRAL,
      ["central:443", "host:*.com:443 x.pfx by operator"],
      ["extra host:*.com:443 keep"],
    ],
    [
      "several come in canonical order",
      ["ip:10.0.0.9:443 a.pfx", "central:443"],
      ["host:old.example:443 o.pfx", "any:0.0.0.0:80 o.pfx"],
      ["extra any:0.0.0.0:80 remove", "missing ip:10.0.0.9:443 add", "extra host:old.example:443 remove", "missing central:443 add"],
    ],
  ])("%s", (_, desired, actual, expected) => {
    const hosts = new Set(["host:www.example.com:443", "host:*.wild.example:443"]);
    expect(summary(table(...desired), table(...actual), hosts)).toEqual(expected);
  });

  it("keeps a host row over the central row when the configured hosts are not told", () => {
    expect(summary(table("central:443"), table("central:443", "host:www.example.com:443 x.pfx by operator"))).toEqual([
      "extra host:www.example.com:443 keep",
    ]);
  });
});

describe("drift in words", () => {
  test.each<[readonly string[], readonly string[], string]>([
    [["central:443"], [], "central:443 is missing"],
    [["host:a.example:443 a.pfx"], [], "host:a.example:443 is missing (a.pfx)"],
    [[], ["host:a.example:443 a.pfx"], "host:a.example:443 (a.pfx) is in no configuration"],
    [["host:a.example:443 a.pfx"], ["host:a.example:443 b.pfx"], "host:a.example:443 names b.pfx instead of a.pfx"],
    [
      ["central:443"],
      ["central:443", "ip:10.0.0.4:443 x.pfx by operator"],
      "ip:10.0.0.4:443 (x.pfx) is in no configuration, it was added by hand (application certfarm) and is looked at before central:443",
    ],
    [
      [],
      ["ip:10.0.0.4:8172 x.pfx by operator"],
      "ip:10.0.0.4:8172 (x.pfx) is in no configuration, it was added by hand (application certfarm); it takes nothing from other rows and is kept",
    ],
  ])("%j against %j", (desired, actual, expected) => {
    expect(diffTables(table(...desired), table(...actual)).map(driftText)).toEqual([expected]);
  });

  it("counts what a long list leaves out", () => {
    const hosts = ["a", "b", "c", "d", "e"].map((name) => `host:${name}.example:443 ${name}.pfx`);
    const [drift] = diffTables(table(...hosts), table(...hosts, "ip:10.0.0.4:443 x.pfx by operator"));
    expect(drift === undefined ? "" : driftText(drift)).toContain("host:a.example:443, host:b.example:443, host:c.example:443 and 2 more");
  });
});

describe("mending", () => {
  it("gives the same table back when there is nothing to do", () => {
    const actual = table("central:443", "ip:10.0.0.4:8172 wm.pfx by operator");
    expect(mendTable(table("central:443"), actual)).toBe(actual);
  });

  it("undoes what was done to the table and leaves what does no harm", () => {
    const desired = table("central:443", "host:shop.example:443 shop.pfx");
    const actual = table("ip:10.0.0.4:443 x.pfx by operator", "host:shop.example:443 old.pfx", "ip:10.0.0.4:8172 wm.pfx by operator");
    const mended = mendTable(desired, actual);
    expect(mended).toEqual(table("central:443", "host:shop.example:443 shop.pfx", "ip:10.0.0.4:8172 wm.pfx by operator"));
  });

  it("leads to a table with nothing left to mend, whatever was there", () => {
    const all = [
      "ip:10.0.0.4:443",
      "host:www.example.com:443",
      "host:*.example.com:443",
      "any:[::]:443",
      "any:0.0.0.0:443",
      "ip:10.0.0.4:80",
    ];
    const some = (suffixes: readonly string[]) =>
      fc
        .tuple(fc.subarray(all), fc.boolean(), fc.array(fc.constantFrom(...suffixes), { minLength: all.length, maxLength: all.length }))
        .map(([keys, central, ends]) =>
          createTable([...keys.map((key, at) => row(`${key} ${ends[at] ?? ""}`)), ...(central ? [row("central:443")] : [])]),
        );
    fc.assert(
      fc.property(some(["a.pfx", "b.pfx"]), some(["a.pfx", "b.pfx", "a.pfx by operator", "b.pfx by operator"]), (desired, actual) => {
        const mended = mendTable(desired, actual);
        expect(diffTables(desired, mended).filter(({ mend }) => mend !== "keep")).toEqual([]);
        expect(mendTable(desired, mended)).toBe(mended);
        for (const { key, file } of desired.rows)
          expect(mended.rows).toContainEqual(expect.objectContaining({ key, ...(file === undefined ? {} : { file }) }));
        expect(createTable(mended.rows)).toEqual(mended);
      }),
      { numRuns: 300 },
    );
  });
});
