import { expect, test } from "vitest";

import { served, type Script } from "../testing/examination.ts";
import { HOST, SHOP, WELL, alert, both, second, told } from "../testing/wire-scripts.ts";
import { noCommonCipher } from "./no-common-cipher.ts";

const rows: [string, Script, string[]][] = [
  ["cannot look when nothing was dialled", {}, ["could-not-look"]],
  ["passes when all is well", { cells: { web1: WELL, web2: WELL } }, ["passed"]],
  [
    "names the node",
    second(both(alert("handshake_failure"))),
    ["error, likely: web2 finds no cipher suite or group in common with clients of today"],
  ],
  [
    "knows a key that is too short",
    second(both({ kind: "error", code: "ERR_SSL_DH_KEY_TOO_SMALL", message: "dh key too small" })),
    ["error, likely: web2 finds no cipher suite or group in common with clients of today"],
  ],
  ["says nothing when another host is served", second({ [HOST]: alert("handshake_failure"), [SHOP]: served(SHOP) }), ["passed"]],
];
test.each(rows)("%s", (_name, script, expected) => {
  expect(told(noCommonCipher, script)).toEqual(expected);
});
