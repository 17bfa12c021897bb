import { expect, test } from "vitest";

import { type Script } from "../testing/examination.ts";
import { HOST, SHOP, WELL, resolving, through, told } from "../testing/wire-scripts.ts";
import { dnsMissesNodes } from "./dns-misses-nodes.ts";

const rows: [string, Script, string[]][] = [
  ["cannot look when no name was resolved", { cells: { web1: WELL, web2: WELL } }, ["could-not-look"]],
  [
    "passes when names lead to every node",
    { cells: { web1: WELL, web2: WELL }, changes: resolving({ [HOST]: ["10.0.0.1", "10.0.0.2"] }) },
    ["passed"],
  ],
  [
    "names the node that a name does not lead to",
    { cells: { web1: WELL, web2: WELL }, changes: resolving({ [HOST]: ["10.0.0.1"], [SHOP]: ["10.0.0.1", "10.0.0.2"] }) },
    ["notice, likely: www.example.com does not lead to web2"],
  ],
  [
    "does not apply when each name leads to one node",
    { cells: { web1: WELL, web2: WELL }, changes: resolving({ [HOST]: ["10.0.0.1"] }) },
    ["not-applicable"],
  ],
  [
    "does not apply behind a balancer",
    { ...through(WELL), changes: resolving({ [HOST]: ["10.0.0.1"], [SHOP]: ["10.0.0.1", "10.0.0.2"] }) },
    ["not-applicable"],
  ],
];
test.each(rows)("%s", (_name, script, expected) => {
  expect(told(dnsMissesNodes, script)).toEqual(expected);
});
