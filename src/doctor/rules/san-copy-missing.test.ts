import { expect, test } from "vitest";

import { pattern } from "../testing/evidence.ts";
import { RESET, type Script } from "../testing/examination.ts";
import { certfarmFarm, holding, iisFarm, SHOP_FILE, SHOP_WELL, UNUSABLE } from "../testing/file-scripts.ts";
import { HOST, told } from "../testing/wire-scripts.ts";
import { sanCopyMissing } from "./san-copy-missing.ts";

const both = holding("example.com.pfx", "example.com", { dnsNames: ["example.com", HOST, "*.shop.example.com"].map(pattern) });

const rows: [string, Script, string[]][] = [
  ["cannot look without a listing", { cells: { web1: SHOP_WELL } }, ["could-not-look"]],
  [
    "names the host and the file that has its certificate",
    iisFarm([SHOP_FILE, both], [RESET, RESET]),
    ["error, certain: www.example.com has no copy of the certificate in example.com.pfx"],
  ],
  [
    "knows wildcards among the names",
    iisFarm([SHOP_FILE, both], [RESET, RESET], "a.shop.example.com"),
    ["error, certain: a.shop.example.com has no copy of the certificate in example.com.pfx"],
  ],
  ["passes when the copy is there", iisFarm([SHOP_FILE, both, { ...both, name: `${HOST}.pfx` }], [RESET, RESET]), ["passed"]],
  ["passes on certfarm, which needs no copies", certfarmFarm([SHOP_FILE, both], [UNUSABLE, UNUSABLE]), ["passed"]],
];

test.each(rows)("%s", (_name, script, expected) => {
  expect(told(sanCopyMissing, script)).toEqual(expected);
});
