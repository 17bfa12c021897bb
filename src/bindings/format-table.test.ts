import { expect, it } from "vitest";

import { CERTFARM_APP_ID } from "./application-id.ts";
import { formatTable } from "./format-table.ts";
import { table } from "./testing/rows.ts";

const rows = table(
  "ip:[2001:db8::1]:443 shop.pfx by operator",
  "host:www.example.com:443 bücher.pfx",
  "central:443",
  "any:[::]:443 default.pfx",
  "any:0.0.0.0:443 default.pfx",
);
const thumbprintOf = (file: string) => (file === "shop.pfx" ? "40DB5BB1BF5659A155258D1D007C530FCB8996C2" : undefined);

it("writes columns that are aligned", () => {
  expect(formatTable(rows, { format: "table", thumbprintOf })).toBe(
    [
      "ROW                       CERTIFICATE FILE  THUMBPRINT                                ORIGIN         APPLICATION",
      "ip:[2001:db8::1]:443      shop.pfx          40DB5BB1BF5659A155258D1D007C530FCB8996C2  operator       certfarm",
      "host:www.example.com:443  bücher.pfx        -                                         configuration  certfarm",
      "central:443               by host name      -                                         configuration  certfarm",
      "any:[::]:443              default.pfx       -                                         configuration  certfarm",
      "any:0.0.0.0:443           default.pfx       -                                         configuration  certfarm",
      "",
    ].join("\n"),
  );
});

it("says so when there is nothing to show", () => {
  expect(formatTable({ rows: [] }, { format: "table", thumbprintOf })).toBe("The binding table is empty.\n");
  expect(formatTable({ rows: [] }, { format: "json", thumbprintOf })).toBe('{\n  "rows": []\n}\n');
  // An empty table in netsh is its header and nothing else.
  expect(formatTable({ rows: [] }, { format: "netsh", thumbprintOf })).toBe("\nSSL Certificate bindings: \n-------------------------\n\n");
});

it("writes the layout of netsh http show sslcert", () => {
  const text = formatTable(table("ip:10.0.0.4:443 shop.pfx"), { format: "netsh", thumbprintOf });
  expect(text).toBe(`
SSL Certificate bindings:${" "}
-------------------------

    IP:port                      : 10.0.0.4:443
    Certificate Hash             : 40db5bb1bf5659a155258d1d007c530fcb8996c2
    Application ID               : ${CERTFARM_APP_ID}
    Certificate Store Name       : shop.pfx
    Verify Client Certificate Revocation : Enabled
    Verify Revocation Using Cached Client Certificate Only : Disabled
    Usage Check                  : Enabled
    Revocation Freshness Time    : 0
    URL Retrieval Timeout        : 0
    Ctl Identifier               : (null)
    Ctl Store Name               : (null)
    DS Mapper Usage              : Disabled
    Negotiate Client Certificate : Disabled
    Reject Connections           : Disabled
    Disable HTTP2                : Not Set

`);
});

/** What scripts made for netsh do with its text: a block a row, split at the first ` : `. */
function blocksOf(text: string): readonly Readonly<Record<string, string>>[] {
  const body = text.split("-------------------------\n")[1] ?? "";
  const blocks = body.split("\n\n").filter((block) => block.trim() !== "");
  return blocks.map((block) =>
    Object.fromEntries(
      block
        .trim()
        .split("\n")
        .map((line) => {
          const [label = "", ...value] = line.split(/\s+: /);
          return [label.trim(), value.join(" : ")];
        }),
    ),
  );
}

it("writes every kind of row as netsh does, so that it can be read back", () => {
  const blocks = blocksOf(formatTable(rows, { format: "netsh", thumbprintOf }));
  const firsts = blocks.map((block) => Object.entries(block)[0]);
  expect(firsts).toEqual([
    ["IP:port", "[2001:db8::1]:443"],
    ["Hostname:port", "www.example.com:443"],
    ["Central Certificate Store", "443"],
    ["IP:port", "[::]:443"],
    ["IP:port", "0.0.0.0:443"],
  ]);
  expect(blocks[2]).toMatchObject({ "Certificate Hash": "(null)", "Certificate Store Name": "(null)", "Application ID": CERTFARM_APP_ID });
  expect(blocks[0]).toMatchObject({ "Certificate Hash": "40db5bb1bf5659a155258d1d007c530fcb8996c2" });
});

it("writes JSON with every fact of a row, in the table's order", () => {
  const parsed: unknown = JSON.parse(formatTable(rows, { format: "json", thumbprintOf }));
  expect(parsed).toMatchObject({
    rows: [
      {
        row: "ip:[2001:db8::1]:443",
        kind: "ip",
        address: "2001:db8::1",
        port: 443,
        file: "shop.pfx",
        thumbprint: "40DB5BB1BF5659A155258D1D007C530FCB8996C2",
        origin: "operator",
        appId: CERTFARM_APP_ID,
        application: "certfarm",
      },
      { row: "host:www.example.com:443", host: "www.example.com", thumbprint: null },
      { row: "central:443", file: null, thumbprint: null },
      { row: "any:[::]:443", family: 6 },
      { row: "any:0.0.0.0:443", family: 4 },
    ],
  });
});
