import { expect, test } from "vitest";

import { certfarmNode, iisNode, listener } from "../testing/evidence.ts";
import { ask, served, wrong, type Script } from "../testing/examination.ts";
import { foreignProcessOnPort } from "./foreign-process-on-port.ts";

const HOST = "www.example.com";
const script = (process: string, outcome: NonNullable<Script["cells"]>[string][string] = wrong("localhost"), port = 443): Script => ({
  cells: { web1: { [HOST]: outcome } },
  evidence: { web1: iisNode([HOST], { listeners: [listener(`0.0.0.0:${port}`, { process })] }) },
});

test.each([
  ["another certificate", wrong("localhost")],
  ["plain text", { kind: "error", code: "ERR_SSL_WRONG_VERSION_NUMBER", message: "wrong version number", speaks: "http" } as const],
])("names the process that holds the port: %s", (_name, outcome) => {
  expect(ask(foreignProcessOnPort, script("vmware-hostd", outcome)).findings).toMatchObject([
    { summary: "web1: vmware-hostd has 0.0.0.0:443, not IIS", nodes: ["web1"], explains: [{ node: "web1", host: HOST }] },
  ]);
});

test("a hostile process name is cut", () => {
  expect(ask(foreignProcessOnPort, script("x".repeat(5000))).findings[0]?.summary.length).toBeLessThan(200);
});

test.each<[string, Script, string]>([
  ["passes when the kernel listens", script("System"), "passed"],
  ["passes on a port that no site is bound to", script("vmware-hostd", wrong("x"), 8443), "passed"],
  ["passes when the sites are served well", script("proxy", served(HOST)), "passed"],
  ["does not apply to certfarm", { evidence: { web1: certfarmNode([HOST]) } }, "not-applicable"],
  ["cannot look without the list of listeners", { evidence: { web1: iisNode([HOST]) } }, "could-not-look"],
])("%s", (_name, given, status) => {
  expect(ask(foreignProcessOnPort, given).status).toBe(status);
});
