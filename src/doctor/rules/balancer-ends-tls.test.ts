import { expect, test } from "vitest";

import { served, wrong, type Script } from "../testing/examination.ts";
import { HOST, SHOP, WELL, both, through, told } from "../testing/wire-scripts.ts";
import { balancerEndsTls } from "./balancer-ends-tls.ts";

const rows: [string, Script, string[]][] = [
  ["cannot look when nothing was dialled", {}, ["could-not-look"]],
  ["passes when all is well", { cells: { web1: WELL, web2: WELL } }, ["passed"]],
  [
    "names the certificate",
    through(both(wrong("balancer.internal"))),
    ["error, likely: lb answers www.example.com and shop.example.com with CN=balancer.internal (62616C61), which no node serves"],
  ],
  [
    "is a notice when it is right and trusted",
    through({ [HOST]: served("edge", { subject: `CN=${HOST}` }), [SHOP]: served(SHOP) }),
    ["notice, likely: lb answers www.example.com with CN=www.example.com (65646765), which no node serves"],
  ],
  [
    "says nothing of the nodes' own default",
    through(both(wrong("default")), both({ sni: served("*.example.com"), "no-sni": served("default") })),
    ["passed"],
  ],
];
test.each(rows)("%s", (_name, script, expected) => {
  expect(told(balancerEndsTls, script)).toEqual(expected);
});
