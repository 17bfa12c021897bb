import { expect, test } from "vitest";

import type { NodeEvidence } from "../evidence.ts";
import { iisNode } from "../testing/evidence.ts";
import { ask, RESET, served, type Script } from "../testing/examination.ts";
import { redirectionDiffers } from "./redirection-differs.ts";

const HOST = "www.example.com";
const NEW = "new.example.com";
const SHARE = String.raw`\\files\configuration`;
const node = (
  redirection: NonNullable<NonNullable<NodeEvidence["configuration"]>["redirection"]>,
  hosts: readonly string[] = [HOST, NEW],
): NodeEvidence => iisNode(hosts, { configuration: { source: "redirection.config", redirection } });
const shared = node({ enabled: true, path: SHARE });

test.each([
  [
    "off",
    { enabled: false },
    String.raw`web3 does not follow a shared configuration, web1 and web2 take theirs from \\files\configuration`,
  ],
  [
    "another folder",
    { enabled: true, path: String.raw`\\old\configuration` },
    String.raw`web3 takes its configuration from \\old\configuration, web1 and web2 take theirs from \\files\configuration`,
  ],
])("names the server whose redirection is %s, and what that explains", (_name, redirection, summary) => {
  const ok = { [NEW]: served(NEW) };
  const { findings } = ask(redirectionDiffers, {
    cells: { web1: ok, web2: ok, web3: { [NEW]: RESET } },
    evidence: { web1: shared, web2: shared, web3: node(redirection, [HOST]) },
  });
  expect(findings).toMatchObject([{ summary, severity: "error", explains: [{ node: "web3", host: NEW }] }]);
  expect(findings[0]?.remedy).toBe(`On web3: Enable-IISSharedConfig -PhysicalPath ${SHARE}`);
});

const others: [string, Script["evidence"], string][] = [
  [
    "passes when all follow one folder, whatever its case",
    { web1: shared, web2: node({ enabled: true, path: SHARE.toUpperCase() }) },
    "passed",
  ],
  ["passes when none shares its configuration", { web1: node({ enabled: false }), web2: node({ enabled: false }) }, "passed"],
  ["tells it as a warning while nothing fails", { web1: shared, web2: shared, web3: node({ enabled: false }) }, "found"],
  ["does not apply to one server", { web1: shared }, "not-applicable"],
  ["cannot look without redirection.config", { web1: iisNode([HOST], { configuration: { source: "x" } }) }, "could-not-look"],
];
test.each(others)("%s", (_name, evidence, status) => {
  expect(ask(redirectionDiffers, { evidence: evidence ?? {} }).status).toBe(status);
});
