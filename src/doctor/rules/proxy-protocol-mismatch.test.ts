import { expect, test } from "vitest";

import { listener } from "../testing/evidence.ts";
import { served, type Script } from "../testing/examination.ts";
import { CLOSED, HOST, SHOP, WELL, both, second, through, told } from "../testing/wire-scripts.ts";
import { proxyProtocolMismatch } from "./proxy-protocol-mismatch.ts";

const rows: [string, Script, string[]][] = [
  ["cannot look when nothing was dialled", {}, ["could-not-look"]],
  ["passes when all is well", { cells: { web1: WELL, web2: WELL } }, ["passed"]],
  [
    "names the node that expects the header",
    second(both({ sni: CLOSED, "proxy-header": served(HOST) })),
    ["error, certain: web2 expects a PROXY protocol header on 10.0.0.2:443"],
  ],
  [
    "is one finding when the header was tried for one host only",
    second({ [HOST]: { sni: CLOSED, "proxy-header": served(HOST) }, [SHOP]: CLOSED }),
    ["error, certain: web2 expects a PROXY protocol header on 10.0.0.2:443"],
  ],
  [
    "believes a node that says so",
    { ...second(both(CLOSED)), evidence: { web2: { make: "nginx", listeners: [listener("10.0.0.2:443", { proxyProtocol: true })] } } },
    ["error, certain: web2 expects a PROXY protocol header on 10.0.0.2:443"],
  ],
  [
    "is a notice when the balancer sends it",
    { cells: { web1: both({ sni: CLOSED, "proxy-header": served(HOST) }), lb: WELL }, balancers: ["lb"] },
    ["notice, certain: web1 expects a PROXY protocol header on 10.0.0.1:443"],
  ],
  [
    "suspects the balancer through which nodes answer as they do to a header",
    through(both(CLOSED), both({ sni: served("*.example.com"), "no-sni": served("default"), "proxy-header": CLOSED })),
    [
      "error, likely: Every handshake through lb fails and the nodes serve the same hosts directly: lb seems to send a PROXY header that they do not expect",
    ],
  ],
  [
    "says nothing of a node that serves with and without it",
    second(both({ sni: served("*.example.com"), "proxy-header": served("*.example.com") })),
    ["passed"],
  ],
];
test.each(rows)("%s", (_name, script, expected) => {
  expect(told(proxyProtocolMismatch, script)).toEqual(expected);
});
