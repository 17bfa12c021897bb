import { expect, test } from "vitest";

import { served, type Script } from "../testing/examination.ts";
import { HOST, WELL, alert, second, told } from "../testing/wire-scripts.ts";
import { clientCertificateRequired } from "./client-certificate-required.ts";

const rows: [string, Script, string[]][] = [
  ["cannot look when nothing was dialled", {}, ["could-not-look"]],
  ["passes when all is well", { cells: { web1: WELL, web2: WELL } }, ["passed"]],
  [
    "by the request that dies",
    second({ [HOST]: { sni: served(HOST), request: { problem: "alert certificate_required" } } }),
    ["error, certain: web2 asks clients of www.example.com for a certificate"],
  ],
  [
    "by the alert in the handshake",
    second({ [HOST]: alert("certificate_required") }),
    ["error, certain: web2 asks clients of www.example.com for a certificate"],
  ],
  [
    "over HTTP/2",
    second({ [HOST]: { sni: served(HOST), request: { problem: "HTTP_1_1_REQUIRED" } } }),
    ["error, certain: web2 asks clients of www.example.com for a certificate"],
  ],
  [
    "is a notice when every node asks",
    { cells: { web1: { [HOST]: alert("certificate_required") }, web2: { [HOST]: alert("certificate_required") } } },
    ["notice, certain: web1 and web2 ask clients of www.example.com for a certificate"],
  ],
  [
    "leaves other requests that die to their rule",
    second({ [HOST]: { sni: served(HOST), request: { problem: "reset before the answer" } } }),
    ["passed"],
  ],
];
test.each(rows)("%s", (_name, script, expected) => {
  expect(told(clientCertificateRequired, script)).toEqual(expected);
});
