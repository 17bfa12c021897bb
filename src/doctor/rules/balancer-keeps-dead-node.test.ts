import { expect, test } from "vitest";

import { RESET, served, wrong, type Script } from "../testing/examination.ts";
import { HOST, WELL, both, through, told } from "../testing/wire-scripts.ts";
import { balancerKeepsDeadNode } from "./balancer-keeps-dead-node.ts";

const rows: [string, Script, string[]][] = [
  ["does not apply without a balancer", { cells: { web1: WELL, web2: WELL } }, ["not-applicable"]],
  ["passes when every connection ends well", through({ [HOST]: { sni: served(HOST), samples: [served(HOST), served(HOST)] } }), ["passed"]],
  [
    "warns of the dead node, which has a finding of its own",
    {
      cells: { web1: WELL, web2: both(RESET), lb: { [HOST]: { sni: served(HOST), samples: [RESET, served(HOST), RESET] } } },
      balancers: ["lb"],
    },
    ["warning, certain: lb sends clients of www.example.com to web2: 2 of 4 connections through it fail"],
  ],
  [
    "is an error when the dead server was not dialled",
    through({ [HOST]: { sni: RESET, samples: [served(HOST), served(HOST)] } }),
    [
      "error, likely: lb sends clients of www.example.com to a server that was not dialled or fails only sometimes: 1 of 3 connections through it fail",
    ],
  ],
  [
    "counts a wrong certificate as a failure",
    through({ [HOST]: { sni: served(HOST), samples: [wrong("old"), served(HOST)] } }),
    [
      "error, likely: lb sends clients of www.example.com to a server that was not dialled or fails only sometimes: 1 of 3 connections through it fail",
    ],
  ],
  [
    "notes that affinity may hide a dead node",
    {
      cells: { web1: WELL, web2: both(RESET), lb: { [HOST]: { sni: served(HOST), samples: [served(HOST), served(HOST)] } } },
      balancers: ["lb"],
    },
    ["notice, likely: Through lb all is well although web2 is not: out of rotation, or hidden from this client by affinity"],
  ],
];
test.each(rows)("%s", (_name, script, expected) => {
  expect(told(balancerKeepsDeadNode, script)).toEqual(expected);
});
