import { expect, test } from "vitest";

import { at, served, type Script } from "../testing/examination.ts";
import { everywhere, SHOP_WELL } from "../testing/file-scripts.ts";
import { HOST, told } from "../testing/wire-scripts.ts";
import { certificateNotYetValid } from "./certificate-not-yet-valid.ts";

const early = served(HOST, { notBefore: at(1), verified: "CERT_NOT_YET_VALID" });

const rows: [string, Script, string[]][] = [
  ["cannot look when nothing was dialled", {}, ["could-not-look"]],
  ["passes when all is well", { cells: { web1: SHOP_WELL } }, ["passed"]],
  [
    "names the node",
    { cells: { web1: { [HOST]: served(HOST) }, web2: { [HOST]: early } } },
    ["error, certain: web2 serves a certificate that is not valid yet for www.example.com"],
  ],
  [
    "is one finding when every node does",
    everywhere(early),
    ["error, certain: web1 and web2 serve a certificate that is not valid yet for www.example.com"],
  ],
];

test.each(rows)("%s", (_name, script, expected) => {
  expect(told(certificateNotYetValid, script)).toEqual(expected);
});
