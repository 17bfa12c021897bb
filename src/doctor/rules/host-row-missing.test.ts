import { expect, test } from "vitest";

import { anyRow, binding, bindings, centralRow, certfarmNode, event, hostRow, iisNode, table } from "../testing/evidence.ts";
import { ask, RESET, served, wrong, type Script } from "../testing/examination.ts";
import { hostRowMissing } from "./host-row-missing.ts";

const HOSTS = ["www.example.com", "shop.example.com"];
const named = bindings(...HOSTS.map((host) => binding(host, { central: false, sslFlags: 1 })));
const right = Object.fromEntries(HOSTS.map((host) => [host, served(host)]));
const all = iisNode(HOSTS, { bindings: named, table: table(...HOSTS.map((host) => hostRow(host))) });
const one = iisNode(HOSTS, {
  bindings: named,
  table: table(hostRow("www.example.com"), anyRow(4, "default.example.com")),
  events: [event("Microsoft-Windows-HttpEvent", 15300, "rows deleted")],
});

test.each([
  ["the handshake is reset", RESET],
  ["another row's certificate comes instead", wrong("default.example.com")],
])("names the binding without a row: %s", (_name, outcome) => {
  const { findings, diagnosis } = ask(hostRowMissing, {
    cells: { web1: right, web2: { ...right, "shop.example.com": outcome } },
    evidence: { web1: all, web2: one },
  });
  expect(findings).toMatchObject([
    {
      summary: "web2 has no row for shop.example.com",
      nodes: ["web2"],
      hosts: ["shop.example.com"],
      explains: [{ node: "web2", host: "shop.example.com" }],
    },
  ]);
  expect(findings[0]?.proof.at(-1)?.text).toBe("rows were deleted at 2026-06-15 09:36 UTC (event 15300)");
  expect(diagnosis.findings).toHaveLength(1);
});

const others: [string, Script, string][] = [
  ["passes when every binding has its row", { evidence: { web1: all } }, "passed"],
  ["passes when the host is served well all the same", { cells: { web1: right }, evidence: { web1: one } }, "passed"],
  ["tells it before anybody dials", { evidence: { web1: one } }, "found"],
  ["passes over bindings for central certificates", { evidence: { web1: iisNode(HOSTS, { table: table(centralRow()) }) } }, "passed"],
  [
    "passes over a binding of any host",
    { evidence: { web1: iisNode([], { bindings: bindings(withoutHost()), table: table() }) } },
    "passed",
  ],
  ["cannot look without bindings", { evidence: { web1: { table: table() } } }, "could-not-look"],
];
test.each(others)("%s", (_name, script, status) => {
  expect(ask(hostRowMissing, script).status).toBe(status);
});

function withoutHost() {
  const { host: _host, ...others } = binding("x.example.com", { central: false, sni: false });
  return others;
}

test("a certfarm node mends it itself", () => {
  const node = certfarmNode(HOSTS, { bindings: named });
  expect(ask(hostRowMissing, { evidence: { web1: node } }).findings[0]?.actions).toEqual([{ do: "resync", node: "web1", part: "table" }]);
});
