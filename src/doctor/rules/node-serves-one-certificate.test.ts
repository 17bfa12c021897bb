import { expect, test } from "vitest";

import { served, wrong, type Script } from "../testing/examination.ts";
import { HOST, SHOP, WELL, both, second, told } from "../testing/wire-scripts.ts";
import { nodeServesOneCertificate } from "./node-serves-one-certificate.ts";

const rows: [string, Script, string[]][] = [
  ["cannot look when nothing was dialled", {}, ["could-not-look"]],
  ["passes when all is well", { cells: { web1: WELL, web2: WELL } }, ["passed"]],
  [
    "names the node and the certificate",
    second(both({ sni: wrong("old.example.com"), "no-sni": served("old.example.com") })),
    ["error, likely: web2 serves CN=old.example.com (6F6C642E) for every name on 10.0.0.2:443"],
  ],
  [
    "needs no probe without SNI when two hosts get it",
    second(both(wrong("old.example.com"))),
    ["error, likely: web2 serves CN=old.example.com (6F6C642E) for every name on 10.0.0.2:443"],
  ],
  [
    "knows a self-signed one by its names",
    second(both(served("old.example.com", { verified: "DEPTH_ZERO_SELF_SIGNED_CERT" }))),
    ["error, likely: web2 serves CN=old.example.com (6F6C642E) for every name on 10.0.0.2:443"],
  ],
  [
    "says nothing when another name gets another certificate",
    second({ [HOST]: wrong("old.example.com"), [SHOP]: served(SHOP) }),
    ["passed"],
  ],
  ["says nothing when it is right for the one and wrong for the other", second({ [HOST]: wrong(SHOP), [SHOP]: served(SHOP) }), ["passed"]],
  [
    "says nothing of one certificate that is right for all",
    { cells: { web1: both(served("*.example.com")), web2: both(served("*.example.com")) } },
    ["passed"],
  ],
  [
    "says nothing when clients without SNI get another one",
    second({ [HOST]: { sni: wrong("old.example.com"), "no-sni": served("default") } }),
    ["passed"],
  ],
];
test.each(rows)("%s", (_name, script, expected) => {
  expect(told(nodeServesOneCertificate, script)).toEqual(expected);
});
