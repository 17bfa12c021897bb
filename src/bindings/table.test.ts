import * as fc from "fast-check";
import { describe, expect, it, test } from "vitest";

import { parseHostName, parseIpAddress } from "../base/index.ts";
import { ADFS_APP_ID, applicationName, CERTFARM_APP_ID, IIS_APP_ID, parseAppId, WMSVC_APP_ID } from "./application-id.ts";
import { parseRowKey, rowKeyText } from "./row-key.ts";
import { createRow, validateRow } from "./row.ts";
import { indexTable } from "./table-index.ts";
import { addRow, compareRows, deleteRow, findRow } from "./table.ts";
import { row, table } from "./testing/rows.ts";
import type { BindingTable, Row } from "./types.ts";

const keys = (value: BindingTable): readonly string[] => value.rows.map(({ key }) => rowKeyText(key));

/** In canonical order. */
const ORDERED = [
  "any:0.0.0.0:80 d.pfx",
  "ip:10.0.0.10:443 a.pfx",
  "ip:10.0.0.4:443 a.pfx",
  "ip:[2001:db8::1]:443 a.pfx",
  "host:a.example.com:443 b.pfx",
  "host:www.example.com:443 b.pfx",
  "host:*.a.example:443 c.pfx",
  "host:*.example.com:443 c.pfx",
  "central:443",
  "any:[::]:443 d.pfx",
  "any:0.0.0.0:443 d.pfx",
  "central:8443",
];

describe("order", () => {
  it("is that of the handshake, port by port, for 100 shuffles", () => {
    const expected = ORDERED.map((text) => text.split(" ")[0]);
    for (const order of fc.sample(fc.shuffledSubarray(ORDERED, { minLength: ORDERED.length }), { numRuns: 100, seed: 7 })) {
      expect(keys(table(...order))).toEqual(expected);
    }
  });

  it("is total: antisymmetric, transitive, zero for one key only", () => {
    const rows = ORDERED.map(row);
    for (const [i, a] of rows.entries()) {
      for (const [j, b] of rows.entries()) expect(Math.sign(compareRows(a, b))).toBe(Math.sign(i - j));
    }
  });
});

describe("tables", () => {
  it("refuse two rows of one key", () => {
    const make = () => table("central:443", "host:www.example.com:443 a.pfx", "host:www.example.com:443 b.pfx");
    expect(make).toThrow(
      expect.objectContaining({ code: "BINDING_ROW_EXISTS", message: expect.stringContaining("host:www.example.com:443") }),
    );
  });

  it("refuse an any row in both of its spellings", () => {
    expect(() => table("ip:0.0.0.0:443 a.pfx", "any:0.0.0.0:443 b.pfx")).toThrow(expect.objectContaining({ code: "BINDING_ROW_EXISTS" }));
  });

  it("are not changed by addRow and deleteRow, which give new ones in order", () => {
    const before = table("central:443");
    const added = addRow(before, row("ip:10.0.0.4:443 a.pfx by operator"));
    expect([keys(before), keys(added)]).toEqual([["central:443"], ["ip:10.0.0.4:443", "central:443"]]);
    const deleted = deleteRow(added, parseRowKey("central:443"));
    expect([keys(added), keys(deleted)]).toEqual([["ip:10.0.0.4:443", "central:443"], ["ip:10.0.0.4:443"]]);
  });

  it("say which file a row that is there already names", () => {
    const add = () => addRow(table("ip:10.0.0.4:443 a.pfx"), row("ip:10.0.0.4:443 b.pfx"));
    expect(add).toThrow(expect.objectContaining({ code: "BINDING_ROW_EXISTS", message: expect.stringContaining("a.pfx") }));
  });

  it("say which row is absent", () => {
    const remove = () => deleteRow(table("central:443"), parseRowKey("central:444"));
    expect(remove).toThrow(expect.objectContaining({ code: "BINDING_ROW_ABSENT", message: "There is no row central:444" }));
  });

  it("find rows by key", () => {
    expect(findRow(table(...ORDERED), parseRowKey("host:*.example.com:443"))?.file).toBe("c.pfx");
    expect(findRow(table(...ORDERED), parseRowKey("host:*.example.com:8443"))).toBeUndefined();
  });
});

describe("rows from outside", () => {
  const good = row("host:www.example.com:443 a.pfx");
  test.each<[string, unknown, string]>([
    ["nothing", null, "has no key"],
    ["a text", "central:443", "has no key"],
    ["no key", { ...good, key: undefined }, "has no key"],
    ["an unknown kind", { ...good, key: { kind: "scoped", port: 443 } }, "kind is none of"],
    ["port 0", { ...good, key: { kind: "central", port: 0 } }, "port is not from 1"],
    ["half a port", { ...good, key: { kind: "central", port: 443.5 } }, "port is not from 1"],
    ["a port as text", { ...good, key: { kind: "central", port: "443" } }, "port is not from 1"],
    ["an address in another form", { ...good, key: { kind: "ip", address: "2001:DB8::1", port: 443 } }, "not an IP address in normal form"],
    ["an ip row for 0.0.0.0", { ...good, key: { kind: "ip", address: "0.0.0.0", port: 443 } }, "make an any row"],
    ["a host in another form", { ...good, key: { kind: "host", host: "WWW.example.com", port: 443 } }, "not a host name in normal form"],
    ["family 5", { ...good, key: { kind: "any", family: 5, port: 443 } }, "neither 4 nor 6"],
    ["no file", { ...good, file: undefined }, "needs the name of a certificate file"],
    ["a central row with a file", { ...good, key: { kind: "central", port: 443 } }, "names no file"],
    ["a path as file", { ...good, file: "../secret.pfx" }, "not the plain name of a file"],
    ["a file named ..", { ...good, file: ".." }, "not the plain name of a file"],
    ["a file with a line break", { ...good, file: "a\nb" }, "not the plain name of a file"],
    ["a file name of 256 characters", { ...good, file: "a".repeat(256) }, "not the plain name of a file"],
    ["an unknown origin", { ...good, origin: "drill" }, "origin is neither"],
    ["an application id that is no GUID", { ...good, appId: "IIS" }, "not a GUID"],
    ["an application id without braces", { ...good, appId: IIS_APP_ID.slice(1, -1) }, "not a GUID"],
  ])("%s is refused", (_, value, problem) => {
    const validate = () => validateRow(value as Row); // what a file may hold in spite of the type
    expect(validate).toThrow(expect.objectContaining({ code: "BINDING_ROW_INVALID", message: expect.stringContaining(problem) }));
  });

  it("are given back when they are good", () => {
    expect(validateRow(good)).toBe(good);
  });

  it("carry certfarm's application id unless told another, in any spelling", () => {
    const key = parseRowKey("ip:10.0.0.4:443");
    expect(createRow({ key, file: "a.pfx", origin: "operator" }).appId).toBe(CERTFARM_APP_ID);
    const iis = createRow({ key, file: "a.pfx", origin: "operator", appId: "4DC3E181-E14B-4A21-B022-59FC669B0914" });
    expect([iis.appId, applicationName(iis.appId)]).toEqual([IIS_APP_ID, "IIS"]);
  });
});

describe("application ids", () => {
  test.each([CERTFARM_APP_ID, IIS_APP_ID, ADFS_APP_ID, WMSVC_APP_ID])("%s is in normal form and has a name", (appId) => {
    expect(parseAppId(appId.toUpperCase())).toBe(appId);
    expect(applicationName(appId)).toBeTruthy();
  });

  it("of others have no name", () => {
    expect(applicationName("{00112233-4455-6677-8899-aabbccddeeff}")).toBeUndefined();
    expect(applicationName("nothing")).toBeUndefined();
    // The last group has 11 digits, as printed in some documentation.
    expect(parseAppId("{00112233-4455-6677-8899-AABBCCDDEFF}")).toBeUndefined();
  });
});

describe("the index", () => {
  const index = indexTable(table(...ORDERED));
  const host = (name: string) => index.port(443)?.host(parseHostName(name) ?? expect.fail(name))?.file;

  it("finds each kind of row", () => {
    const port = index.port(443);
    expect(port?.ip(parseIpAddress("2001:db8::1") ?? expect.fail())?.file).toBe("a.pfx");
    expect(port?.ip(parseIpAddress("10.0.0.5") ?? expect.fail())).toBeUndefined();
    expect([port?.central?.key.kind, port?.any4?.file, port?.any6?.file, port?.hasHostRows]).toEqual(["central", "d.pfx", "d.pfx", true]);
  });

  test.each([
    ["www.example.com", "b.pfx"],
    ["shop.example.com", "c.pfx"],
    ["a.b.example.com", undefined],
    ["example.com", undefined],
    ["localhost", undefined],
  ])("finds for %s: %s", (name, file) => {
    expect(host(name)).toBe(file);
  });

  it("keeps ports apart", () => {
    expect(index.port(8443)).toMatchObject({ any4: undefined, hasHostRows: false });
    expect(index.port(444)).toBeUndefined();
  });

  it("is made once a table", () => {
    const one = table("central:443");
    expect(indexTable(one)).toBe(indexTable(one));
    expect(indexTable(table("central:443"))).not.toBe(indexTable(one));
  });
});
