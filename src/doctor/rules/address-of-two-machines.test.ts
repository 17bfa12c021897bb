import { expect, test } from "vitest";

import { served, wrong, type Script } from "../testing/examination.ts";
import { HOST, WELL, second, through, told } from "../testing/wire-scripts.ts";
import { addressOfTwoMachines } from "./address-of-two-machines.ts";

const rows: [string, Script, string[]][] = [
  ["cannot look when nothing was dialled", {}, ["could-not-look"]],
  ["passes when all is well", { cells: { web1: WELL, web2: WELL } }, ["passed"]],
  [
    "names the address",
    second({ [HOST]: { sni: served(HOST), samples: [wrong("other"), served(HOST)] } }),
    ["error, likely: 10.0.0.2:443 (web2) answers www.example.com with CN=www.example.com (7777772E) and CN=other (6F746865) in turn"],
  ],
  [
    "takes one change for a renewal",
    second({ [HOST]: { sni: served("former", { dnsNames: [HOST] }), samples: [served(HOST), served(HOST)] } }),
    ["passed"],
  ],
  ["says nothing of a balancer", through({ [HOST]: { sni: served(HOST), samples: [wrong("other"), served(HOST)] } }), ["passed"]],
];
test.each(rows)("%s", (_name, script, expected) => {
  expect(told(addressOfTwoMachines, script)).toEqual(expected);
});
