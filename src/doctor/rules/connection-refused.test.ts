import { expect, test } from "vitest";

import { served, type Script } from "../testing/examination.ts";
import { HOST, REFUSED, SHOP, WELL, both, second, through, told } from "../testing/wire-scripts.ts";
import { connectionRefused } from "./connection-refused.ts";

const rows: [string, Script, string[]][] = [
  ["cannot look when nothing was dialled", {}, ["could-not-look"]],
  ["passes when all is well", { cells: { web1: WELL, web2: WELL } }, ["passed"]],
  ["names the node that refuses", second(both(REFUSED)), ["error, likely: web2 refuses connections to 10.0.0.2:443"]],
  [
    "names each node while another serves",
    { cells: { web1: WELL, web2: both(REFUSED), web3: both(REFUSED) } },
    ["error, likely: web2 refuses connections to 10.0.0.2:443", "error, likely: web3 refuses connections to 10.0.0.3:443"],
  ],
  [
    "is one finding when every node refuses",
    { cells: { web1: both(REFUSED), web2: both(REFUSED) } },
    ["error, likely: web1 and web2 refuse connections to 10.0.0.1:443 and 10.0.0.2:443"],
  ],
  ["names a balancer whose nodes are well", through(both(REFUSED)), ["error, likely: lb refuses connections to 10.0.0.3:443"]],
  [
    "names the endpoint of a node that has several",
    { cells: { web1: WELL, "web1@[fd00::1]:443": both(REFUSED) } },
    ["error, likely: web1 refuses connections to [fd00::1]:443"],
  ],
  ["says nothing when other connections to the port come about", second({ [HOST]: REFUSED, [SHOP]: served(SHOP) }), ["passed"]],
];
test.each(rows)("%s", (_name, script, expected) => {
  expect(told(connectionRefused, script)).toEqual(expected);
});
