import { expect, test } from "vitest";

import { iisNode } from "../testing/evidence.ts";
import { RESET, served, type Script } from "../testing/examination.ts";
import { HOST, SHOP, WELL, alert, both, deep, second, told } from "../testing/wire-scripts.ts";
import { tlsVersionsDiffer } from "./tls-versions-differ.ts";

const rows: [string, Script, string[]][] = [
  ["cannot look when nothing was dialled", {}, ["could-not-look"]],
  ["passes when all is well", { cells: { web1: WELL, web2: WELL } }, ["passed"]],
  [
    "names the node that knows old versions only",
    second(both(alert("protocol_version"))),
    ["error, certain: web2 turns clients of TLS 1.2 and 1.3 away"],
  ],
  [
    "names the node that a client of TLS 1.2 alone gets through to",
    second(both({ sni: RESET, tls12: served(HOST) })),
    ["error, certain: web2 turns clients away that offer TLS 1.3"],
  ],
  [
    "knows a server that answers in TLS 1.0",
    second(both({ kind: "error", code: "ERR_SSL_UNSUPPORTED_PROTOCOL", message: "unsupported protocol" })),
    ["error, certain: web2 turns clients of TLS 1.2 and 1.3 away"],
  ],
  [
    "warns of TLS 1.2 that one node lacks",
    deep([{ tls12: served(HOST) }, { tls12: alert("protocol_version") }]),
    ["warning, certain: web2 does not speak TLS 1.2, other nodes do"],
  ],
  [
    "notes TLS 1.3 that one of two like nodes lacks",
    deep([{ tls13: served(HOST) }, { tls13: alert("protocol_version") }]),
    ["notice, certain: web2 does not speak TLS 1.3, other nodes do"],
  ],
  ["says nothing when all lack TLS 1.3", deep([{ tls13: RESET }, { tls13: RESET }]), ["passed"]],
  [
    "says nothing of servers of different makes",
    deep([{ tls13: served(HOST) }, { tls13: RESET, request: { status: 200, headers: { server: "Apache" } } }]),
    ["passed"],
  ],
  [
    "compares settings where clients were not tried",
    {
      cells: { web1: WELL, web2: WELL },
      evidence: {
        web1: iisNode([HOST, SHOP]),
        web2: iisNode([HOST, SHOP], { protocols: [{ protocol: "TLS 1.2", enabled: false, source: "Schannel settings" }] }),
      },
    },
    ["warning, certain: web2 has TLS 1.2 off, web1 has it on"],
  ],
];
test.each(rows)("%s", (_name, script, expected) => {
  expect(told(tlsVersionsDiffer, script)).toEqual(expected);
});
