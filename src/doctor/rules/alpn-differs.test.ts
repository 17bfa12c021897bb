import { expect, test } from "vitest";

import { served, type Script } from "../testing/examination.ts";
import { HOST, WELL, alert, both, deep, second, told } from "../testing/wire-scripts.ts";
import { alpnDiffers } from "./alpn-differs.ts";

const rows: [string, Script, string[]][] = [
  ["cannot look when nothing was dialled", {}, ["could-not-look"]],
  ["passes when all is well", { cells: { web1: WELL, web2: WELL } }, ["passed"]],
  [
    "names the node that no browser gets through to",
    second(both({ sni: alert("no_application_protocol"), http11: served(HOST) })),
    ["error, certain: web2 turns clients away that offer both HTTP/2 and HTTP/1.1"],
  ],
  [
    "warns of HTTP/2 that one of two like nodes lacks",
    deep([{}, { sni: served(HOST, { alpn: "http/1.1" }) }]),
    ["warning, certain: web2 does not offer HTTP/2, other nodes do"],
  ],
  [
    "warns of HTTP/1.1 that a node refuses",
    deep([{ http11: served(HOST) }, { http11: alert("no_application_protocol") }]),
    ["warning, certain: web2 does not offer HTTP/1.1, other nodes do"],
  ],
  [
    "says nothing of servers of different makes",
    deep([{}, { sni: served(HOST, { alpn: "http/1.1" }), request: { status: 200, headers: { server: "Apache/2.4" } } }]),
    ["passed"],
  ],
];
test.each(rows)("%s", (_name, script, expected) => {
  expect(told(alpnDiffers, script)).toEqual(expected);
});
