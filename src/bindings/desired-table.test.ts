import { describe, expect, it, test } from "vitest";

import { desiredTable } from "./desired-table.ts";
import { rowKeyText } from "./row-key.ts";
import { binding } from "./testing/rows.ts";

const of = (...texts: readonly string[]) => desiredTable(texts.map(binding));
const rows = (...texts: readonly string[]) =>
  of(...texts).table.rows.map(({ key, file }) => (file === undefined ? rowKeyText(key) : `${rowKeyText(key)} ${file}`));
const conflicts = (...texts: readonly string[]) =>
  of(...texts).conflicts.map(({ severity, code, rows }) => [severity, code, ...rows.map(rowKeyText)].join(" "));

describe("rows that bindings ask for", () => {
  test.each<[string, readonly string[], readonly string[]]>([
    [
      "central bindings share one row a port",
      ["https://a.example:443", "https://b.example:443", "https://a.example:8443"],
      ["central:443", "central:8443"],
    ],
    ["a named file by SNI", ["https://a.example:443 a.pfx"], ["host:a.example:443 a.pfx"]],
    ["a named file by SNI for a wildcard", ["https://*.a.example:443 a.pfx"], ["host:*.a.example:443 a.pfx"]],
    ["a named file without SNI on one address", ["https://a.example:443 a.pfx no-sni at 10.0.0.4"], ["ip:10.0.0.4:443 a.pfx"]],
    ["a named file without SNI on every address", ["https://*:443 a.pfx no-sni"], ["any:[::]:443 a.pfx", "any:0.0.0.0:443 a.pfx"]],
    ["a named file without SNI on 0.0.0.0", ["https://*:443 a.pfx no-sni at 0.0.0.0"], ["any:0.0.0.0:443 a.pfx"]],
    ["a named file without SNI on ::", ["https://*:443 a.pfx no-sni at ::"], ["any:[::]:443 a.pfx"]],
    ["http needs none", ["http://a.example:80"], []],
    ["a named file by SNI without a host has none", ["https://*:443 a.pfx"], []],
    [
      "two bindings of one key and file are one row",
      ["https://a.example:443 a.pfx", "https://a.example:443 a.pfx at 10.0.0.4"],
      ["host:a.example:443 a.pfx"],
    ],
    ["the first of two files is taken", ["https://a.example:443 b.pfx", "https://a.example:443 a.pfx"], ["host:a.example:443 b.pfx"]],
  ])("%s", (_, bindings, expected) => {
    expect(rows(...bindings)).toEqual(expected);
  });

  it("are the configuration's own", () => {
    expect(of("https://a.example:443").table.rows[0]).toMatchObject({ origin: "configuration" });
  });

  it("come with the keys of every host that https names", () => {
    const { hostKeys } = of("https://a.example:443", "https://*.b.example:443 b.pfx", "http://c.example:80", "https://*:443");
    expect([...hostKeys]).toEqual(["host:a.example:443", "host:*.b.example:443"]);
  });

  it("refuse a file that is a path", () => {
    expect(() => of("https://a.example:443 ../a.pfx")).toThrow(expect.objectContaining({ code: "BINDING_ROW_INVALID" }));
  });
});

describe("conflicts", () => {
  test.each<[string, readonly string[], readonly string[]]>([
    [
      "a usual farm has none",
      ["https://a.example:443", "https://*.b.example:443", "http://a.example:80", "https://c.example:443 c.pfx"],
      [],
    ],
    ["two files for one host", ["https://a.example:443 a.pfx", "https://a.example:443 b.pfx"], ["error two-files host:a.example:443"]],
    [
      "two files for one address",
      ["https://a.example:443 a.pfx no-sni at 10.0.0.4", "https://b.example:443 b.pfx no-sni at 10.0.0.4"],
      ["error two-files ip:10.0.0.4:443"],
    ],
    [
      "two default certificates",
      ["https://*:443 a.pfx no-sni", "https://*:443 b.pfx no-sni"],
      ["error two-files any:[::]:443", "error two-files any:0.0.0.0:443"],
    ],
    [
      "one site without SNI answers for the others on its address",
      ["https://a.example:443 a.pfx no-sni at 10.0.0.4", "https://b.example:443 at 10.0.0.4"],
      ["error ip-row-shadows ip:10.0.0.4:443"],
    ],
    [
      "on its address it answers for sites on every address, too",
      ["https://a.example:443 a.pfx no-sni at 10.0.0.4", "https://b.example:443"],
      ["warning ip-row-shadows ip:10.0.0.4:443"],
    ],
    [
      "a site by SNI is shadowed as a central one is",
      ["https://a.example:443 a.pfx no-sni at 10.0.0.4", "https://b.example:443 b.pfx at 10.0.0.4"],
      ["error ip-row-shadows ip:10.0.0.4:443"],
    ],
    [
      "nothing is shadowed by its own file",
      ["https://a.example:443 a.pfx no-sni at 10.0.0.4", "https://a.example:443 a.pfx at 10.0.0.4"],
      [],
    ],
    ["nothing is shadowed on another address", ["https://a.example:443 a.pfx no-sni at 10.0.0.4", "https://b.example:443 at 10.0.0.5"], []],
    ["nothing is shadowed on another port", ["https://a.example:443 a.pfx no-sni at 10.0.0.4", "https://b.example:8443 at 10.0.0.4"], []],
    [
      "one host by file and centrally",
      ["https://a.example:443 a.pfx", "https://a.example:443"],
      ["error host-row-shadows host:a.example:443"],
    ],
    [
      "a wildcard by file takes names from the central certificates",
      ["https://*.example.com:443 w.pfx", "https://www.example.com:443"],
      ["warning host-row-shadows host:*.example.com:443"],
    ],
    [
      "a central wildcard beside an exact name by file is no conflict",
      ["https://*.example.com:443", "https://www.example.com:443 a.pfx"],
      [],
    ],
    [
      "a default certificate catches names without a file",
      ["https://*:443 d.pfx no-sni", "https://a.example:443"],
      ["warning any-row-catches-misses any:[::]:443 any:0.0.0.0:443"],
    ],
    ["a default certificate alone catches nothing", ["https://*:443 d.pfx no-sni", "https://a.example:443 a.pfx"], []],
    ["central without SNI", ["https://a.example:443 central no-sni"], ["warning central-without-sni central:443"]],
    ["central without SNI and host", ["https://*:443 central no-sni"], ["warning central-without-sni central:443"]],
    [
      "central without SNI beside a certificate for its address",
      ["https://a.example:443 central no-sni at 10.0.0.4", "https://a.example:443 a.pfx no-sni at 10.0.0.4"],
      ["error ip-row-shadows ip:10.0.0.4:443"],
    ],
    ["a file by SNI without a host", ["https://*:443 a.pfx"], ["error sni-without-host"]],
    ["http and https on one port", ["https://a.example:443", "http://b.example:443"], ["error http-on-tls-port"]],
    ["http and https on one port of two addresses", ["https://a.example:443 at 10.0.0.4", "http://b.example:443 at 10.0.0.5"], []],
    ["http on all addresses, https on one", ["https://a.example:443 at 10.0.0.4", "http://b.example:443"], ["error http-on-tls-port"]],
    [
      "http on 0.0.0.0, https on one address",
      ["https://a.example:443 at 10.0.0.4", "http://b.example:443 at 0.0.0.0"],
      ["error http-on-tls-port"],
    ],
    [
      "an ip row shadows sites on 0.0.0.0",
      ["https://a.example:443 a.pfx no-sni at 10.0.0.4", "https://b.example:443 at 0.0.0.0"],
      ["warning ip-row-shadows ip:10.0.0.4:443"],
    ],
    ["http on one address of https on all", ["https://a.example:443", "http://b.example:443 at 10.0.0.5"], ["error http-on-tls-port"]],
  ])("%s", (_, bindings, expected) => {
    expect(conflicts(...bindings)).toEqual(expected);
  });

  it("come errors first, whatever the port", () => {
    const found = conflicts(
      "https://*:80 d.pfx no-sni",
      "https://a.example:80",
      "https://a.example:443 a.pfx",
      "https://a.example:443 b.pfx",
    );
    expect(found.map((text) => text.split(" ")[0])).toEqual(["error", "warning"]);
  });

  it("tell an operator what happens and what to do", () => {
    const [found] = of("https://shop.example:443 shop.pfx no-sni at 10.0.0.4", "https://www.example.com:443 at 10.0.0.4").conflicts;
    expect(found?.message).toBe(
      "ip:10.0.0.4:443 is looked at first and answers with shop.pfx for every name, so 1 binding (www.example.com) on that address never get their own certificate. Require SNI on the site with shop.pfx, or give it an address of its own.",
    );
    expect(found?.bindings.map(({ host }) => host)).toEqual(["www.example.com"]);
  });

  it("list at most ten bindings and count the others", () => {
    const many = Array.from({ length: 20_000 }, (_, at) => binding(`https://h${at}.example:443`));
    const { conflicts: found, table } = desiredTable([...many, binding("https://*:443 d.pfx no-sni at 10.0.0.4")]);
    expect(table.rows).toHaveLength(2);
    expect(found).toHaveLength(1);
    expect(found[0]?.bindings).toHaveLength(10);
    expect(found[0]?.message).toContain("20000 bindings (h0.example, h1.example, h2.example, …)");
  });
});
