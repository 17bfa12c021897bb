import { expect, test } from "vitest";

import { RESET, served, type Script } from "../testing/examination.ts";
import { HOST, SHOP, WELL, alert, both, second, told } from "../testing/wire-scripts.ts";
import { nameRefused } from "./name-refused.ts";

const rows: [string, Script, string[]][] = [
  ["cannot look when nothing was dialled", {}, ["could-not-look"]],
  ["passes when all is well", { cells: { web1: WELL, web2: WELL } }, ["passed"]],
  [
    "names the node that resets one host",
    second({ [HOST]: RESET, [SHOP]: served(SHOP) }),
    ["error, likely: web2 turns www.example.com away"],
  ],
  [
    "names the node that refuses every name with an alert",
    second(both(alert("unrecognized_name"))),
    ["error, likely: web2 turns www.example.com and shop.example.com away"],
  ],
  [
    "knows handshake_failure for one host from a cipher that is missing",
    second({ [HOST]: alert("handshake_failure"), [SHOP]: served(SHOP) }),
    ["error, likely: web2 turns www.example.com away"],
  ],
  [
    "is one finding for a host that no node serves",
    { cells: { web1: { [HOST]: alert("unrecognized_name"), [SHOP]: served(SHOP) }, web2: { [HOST]: RESET, [SHOP]: served(SHOP) } } },
    ["error, likely: Every node turns www.example.com away"],
  ],
  [
    "keeps apart what one node and what every node turns away",
    {
      cells: {
        web1: { [HOST]: alert("unrecognized_name"), [SHOP]: served(SHOP), "a.example.com": served("a.example.com") },
        web2: { [HOST]: alert("unrecognized_name"), [SHOP]: alert("unrecognized_name"), "a.example.com": served("a.example.com") },
      },
    },
    ["error, likely: web2 turns shop.example.com away", "error, likely: Every node turns www.example.com away"],
  ],
  ["leaves a node that resets everything to its rule", second(both(RESET)), ["passed"]],
  ["leaves handshake_failure for everything to its rule", second(both(alert("handshake_failure"))), ["passed"]],
];
test.each(rows)("%s", (_name, script, expected) => {
  expect(told(nameRefused, script)).toEqual(expected);
});
