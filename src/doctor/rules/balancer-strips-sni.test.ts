import { expect, test } from "vitest";

import { RESET, served, wrong, type Script } from "../testing/examination.ts";
import { HOST, SHOP, WELL, both, through, told } from "../testing/wire-scripts.ts";
import { balancerStripsSni } from "./balancer-strips-sni.ts";

const rows: [string, Script, string[]][] = [
  ["cannot look when nothing was dialled", {}, ["could-not-look"]],
  ["passes when all is well", { cells: { web1: WELL, web2: WELL } }, ["passed"]],
  [
    "by the default certificate",
    through(both(wrong("default")), both({ sni: served("*.example.com"), "no-sni": served("default") })),
    ["error, likely: lb seems to lose the name: through it www.example.com and shop.example.com fare as clients without SNI do"],
  ],
  [
    "by the reset that clients without SNI get",
    through(both(RESET), both({ sni: served("*.example.com"), "no-sni": RESET })),
    ["error, likely: lb seems to lose the name: through it www.example.com and shop.example.com fare as clients without SNI do"],
  ],
  ["says nothing of a certificate that no node has", through(both(wrong("balancer.internal"))), ["passed"]],
  ["says nothing when a node is ill itself", { cells: { web1: both(RESET), lb: both(RESET) }, balancers: ["lb"] }, ["passed"]],
  [
    "says nothing when other hosts get through",
    through({ [HOST]: RESET, [SHOP]: served(SHOP) }, both({ sni: served("*.example.com"), "no-sni": RESET })),
    ["passed"],
  ],
];
test.each(rows)("%s", (_name, script, expected) => {
  expect(told(balancerStripsSni, script)).toEqual(expected);
});
