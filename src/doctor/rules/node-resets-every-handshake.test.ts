import { expect, test } from "vitest";

import { RESET, served, type Script } from "../testing/examination.ts";
import { CLOSED, HOST, SHOP, WELL, alert, both, second, told } from "../testing/wire-scripts.ts";
import { nodeResetsEveryHandshake } from "./node-resets-every-handshake.ts";

const rows: [string, Script, string[]][] = [
  ["cannot look when nothing was dialled", {}, ["could-not-look"]],
  ["passes when all is well", { cells: { web1: WELL, web2: WELL } }, ["passed"]],
  ["names the node, and what would decide", second(both(RESET)), ["error, likely: web2 resets every ClientHello on 10.0.0.2:443"]],
  ["takes an orderly close for the same", second(both(CLOSED)), ["error, likely: web2 resets every ClientHello on 10.0.0.2:443"]],
  [
    "is one finding when every node does",
    { cells: { web1: both(RESET), web2: both(RESET) } },
    ["error, likely: web1 and web2 reset every ClientHello on 10.0.0.1:443 and 10.0.0.2:443"],
  ],
  ["says nothing when one host is served", second({ [HOST]: RESET, [SHOP]: served(SHOP) }), ["passed"]],
  ["says nothing when clients without SNI are served", second({ [HOST]: { sni: RESET, "no-sni": served("default") } }), ["passed"]],
  ["leaves alerts to other rules", second(both(alert("unrecognized_name"))), ["passed"]],
  ["says nothing when a PROXY header helps", second(both({ sni: CLOSED, "proxy-header": served(HOST) })), ["passed"]],
];
test.each(rows)("%s", (_name, script, expected) => {
  expect(told(nodeResetsEveryHandshake, script)).toEqual(expected);
});
