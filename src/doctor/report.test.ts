import { expect, test } from "vitest";

import { diagnose } from "./diagnose.ts";
import { createReport, type Report } from "./report.ts";
import { RULES } from "./rules/index.ts";
import { iisNode, table } from "./testing/evidence.ts";
import { examine, NOW, RESET, served, type Script } from "./testing/examination.ts";

const HOST = "www.example.com";
const SHOP = "shop.example.com";

function report(script: Script): Report {
  const examination = examine(script);
  return createReport(examination, diagnose(examination, RULES));
}

test("a matrix of hosts and nodes, each cell with what was served or what is wrong, and the findings that explain it", () => {
  const { matrix, nodes, findings, at } = report({
    cells: { web1: { [HOST]: { sni: served(HOST), request: { status: 200 } } }, web2: { [HOST]: RESET }, web3: { [SHOP]: served(SHOP) } },
    evidence: { web1: iisNode([HOST, SHOP]), web2: iisNode([HOST, SHOP], { table: table() }) },
  });
  const [finding] = findings;
  expect(at).toBe(NOW);
  expect(nodes).toEqual([
    { name: "web1", role: "node", make: "iis" },
    { name: "web2", role: "node", make: "iis" },
    { name: "web3", role: "node" },
  ]);
  expect(matrix).toMatchObject([
    {
      host: HOST,
      cells: [
        { state: "ok", text: "", status: 200, protocol: "TLSv1.3", alpn: "h2" },
        { state: "no-handshake", text: "reset after the ClientHello, without an alert", explainedBy: [finding?.id] },
        { state: "not-looked" },
      ],
    },
    { host: SHOP, cells: [{ state: "not-looked" }, { state: "not-looked" }, { state: "ok" }] },
  ]);
});

test("of several endpoints the one that fails speaks for the node, and a finding that explains both is named once", () => {
  const script: Script = { cells: { web1: { [HOST]: served(HOST) }, "web1@[fd00::1]:443": { [HOST]: RESET } } };
  expect(report(script).matrix[0]?.cells).toMatchObject([{ state: "no-handshake" }]);
  const both = report({ ...script, cells: { web1: { [HOST]: RESET }, "web1@[fd00::1]:443": { [HOST]: RESET } } });
  const ids = both.matrix[0]?.cells[0]?.explainedBy ?? [];
  expect(ids.length).toBeGreaterThan(0);
  expect(new Set(ids).size).toBe(ids.length);
});

test("a balancer's cell names what explains its host on a node; a cell that is well names nothing", () => {
  const { matrix, findings } = report({
    cells: { web1: { [HOST]: served(HOST) }, web2: { [HOST]: RESET }, lb: { [HOST]: RESET } },
    balancers: ["lb"],
    evidence: { web1: iisNode([HOST]), web2: iisNode([HOST], { table: table() }) },
  });
  const cause = findings.find(({ code }) => code === "central-row-missing");
  expect(matrix[0]?.cells[2]?.explainedBy).toEqual([cause?.id]);
  expect(matrix[0]?.cells[0]).not.toHaveProperty("explainedBy");
});
