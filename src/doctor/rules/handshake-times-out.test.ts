import { expect, test } from "vitest";

import { served, type Script } from "../testing/examination.ts";
import { HANGS, HOST, WELL, both, second, told } from "../testing/wire-scripts.ts";
import { handshakeTimesOut } from "./handshake-times-out.ts";

const rows: [string, Script, string[]][] = [
  ["cannot look when nothing was dialled", {}, ["could-not-look"]],
  ["passes when all is well", { cells: { web1: WELL, web2: WELL } }, ["passed"]],
  ["names the node", second(both(HANGS)), ["error, likely: web2 takes connections on 10.0.0.2:443 and does not answer the ClientHello"]],
  ["says nothing when a client of TLS 1.2 alone is answered", second(both({ sni: HANGS, tls12: served(HOST) })), ["passed"]],
  ["says nothing when a PROXY header helps", second(both({ sni: HANGS, "proxy-header": served(HOST) })), ["passed"]],
];
test.each(rows)("%s", (_name, script, expected) => {
  expect(told(handshakeTimesOut, script)).toEqual(expected);
});
