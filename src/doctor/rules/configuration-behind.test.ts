import { expect, test } from "vitest";

import type { NodeEvidence } from "../evidence.ts";
import { certfarmNode, iisNode } from "../testing/evidence.ts";
import { ask, RESET, served, type Script } from "../testing/examination.ts";
import { configurationBehind } from "./configuration-behind.ts";

const HOST = "www.example.com";
const NEW = "new.example.com";
const ok = { [HOST]: served(HOST), [NEW]: served(NEW) };
const lacking = { [HOST]: served(HOST), [NEW]: RESET };
const iis = (digest: string, hosts: readonly string[]): NodeEvidence =>
  iisNode(hosts, { configuration: { source: "applicationHost.config", digest } });
const farm = (revision: number, hosts: readonly string[]): NodeEvidence =>
  certfarmNode(hosts, { configuration: { source: "report", revision, digest: String(revision) } });

test("IIS: the server whose copy is another explains hosts that its bindings lack", () => {
  const { findings } = ask(configurationBehind, {
    cells: { web1: ok, web2: ok, web3: lacking },
    evidence: { web1: iis("NEW", [HOST, NEW]), web2: iis("NEW", [HOST, NEW]), web3: iis("OLD", [HOST]) },
  });
  expect(findings).toMatchObject([
    {
      summary: "web3 has another configuration than web1 and web2",
      severity: "error",
      certainty: "certain",
      explains: [{ node: "web3", host: NEW }],
    },
  ]);
});

test("of two servers the one with fewer symptoms has the better claim, and the finding says that it may be the other", () => {
  const { findings } = ask(configurationBehind, {
    cells: { web1: lacking, web2: ok },
    evidence: { web1: iis("B", [HOST]), web2: iis("A", [HOST, NEW]) },
  });
  expect(findings).toMatchObject([{ nodes: ["web1"], certainty: "likely", decides: "which of the files is the newer one" }]);
});

test("certfarm: the node with an older revision, which is a warning while nothing fails", () => {
  const evidence = { web1: farm(8, [HOST, NEW]), web2: farm(7, [HOST]), web3: farm(8, [HOST, NEW]) };
  expect(ask(configurationBehind, { cells: { web1: ok, web2: lacking, web3: ok }, evidence }).findings).toMatchObject([
    {
      summary: "web2 has revision 7 of the configuration, the newest is 8",
      severity: "error",
      actions: [{ do: "resync", node: "web2", part: "configuration" }],
      explains: [{ node: "web2", host: NEW }],
    },
  ]);
  expect(ask(configurationBehind, { cells: { web1: ok, web2: ok, web3: ok }, evidence }).findings[0]?.severity).toBe("warning");
});

const torn = (changes: NonNullable<NodeEvidence["configuration"]>): NodeEvidence => iisNode([HOST], { configuration: changes });
const others: [string, Script["evidence"], string][] = [
  ["passes when all have the same", { web1: iis("A", [HOST]), web2: iis("A", [HOST]) }, "passed"],
  [
    "leaves a copy that cannot be read, and a server that follows nobody, to their own rules",
    {
      web1: iis("A", [HOST]),
      web2: iis("A", [HOST]),
      web3: torn({ source: "x", digest: "B", problem: "line 1" }),
      web4: torn({ source: "x", digest: "C", redirection: { enabled: false } }),
    },
    "passed",
  ],
  ["does not apply to one node", { web1: iis("A", [HOST]) }, "not-applicable"],
  ["cannot look without configurations", { web1: {} }, "could-not-look"],
];
test.each(others)("%s", (_name, evidence, status) => {
  expect(ask(configurationBehind, { evidence: evidence ?? {} }).status).toBe(status);
});
