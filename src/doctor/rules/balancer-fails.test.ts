import { expect, test } from "vitest";

import { served, type Script } from "../testing/examination.ts";
import { CLOSED, HOST, SHOP, WELL, through, told } from "../testing/wire-scripts.ts";
import { balancerFails } from "./balancer-fails.ts";

const rows: [string, Script, string[]][] = [
  ["cannot look when nothing was dialled", {}, ["could-not-look"]],
  ["passes when all is well", { cells: { web1: WELL, web2: WELL } }, ["passed"]],
  [
    "names the host that it fails",
    through({ [HOST]: CLOSED, [SHOP]: served(SHOP) }),
    ["error, likely: www.example.com fails through lb, and every node serves it directly"],
  ],
  [
    "says nothing when a node fails it as well",
    { cells: { web1: { [HOST]: CLOSED, [SHOP]: served(SHOP) }, lb: { [HOST]: CLOSED, [SHOP]: served(SHOP) } }, balancers: ["lb"] },
    ["passed"],
  ],
];
test.each(rows)("%s", (_name, script, expected) => {
  expect(told(balancerFails, script)).toEqual(expected);
});
