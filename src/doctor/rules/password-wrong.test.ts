import { expect, test } from "vitest";

import { thumbprintOf } from "../testing/evidence.ts";
import { RESET, served, type Script } from "../testing/examination.ts";
import { certfarmFarm, certfarmFile, fileWith, iisFarm, SHOP_FILE, SHOP_WELL, UNUSABLE } from "../testing/file-scripts.ts";
import { HOST, SHOP, told } from "../testing/wire-scripts.ts";
import { passwordWrong } from "./password-wrong.ts";

const file = fileWith("wrong-password");

const rows: [string, Script, string[]][] = [
  ["cannot look without a listing", { cells: { web1: SHOP_WELL } }, ["could-not-look"]],
  [
    "is certain where the node itself tried its passwords",
    certfarmFile("wrong-password"),
    ["error, certain: www.example.com.pfx cannot be opened with the password of the farm"],
  ],
  [
    "is likely where the doctor tried, and the host fails",
    iisFarm([SHOP_FILE, file], [RESET, RESET]),
    ["error, likely: www.example.com.pfx cannot be opened with the password of the farm"],
  ],
  ["says nothing when the doctor lacks the password and all is well", iisFarm([SHOP_FILE, file], [served(HOST), served(HOST)]), ["passed"]],
  [
    "says nothing of a host that fails while the doctor cannot open the files of hosts that are served either",
    iisFarm([{ ...file, name: `${SHOP}.pfx` }, file], [RESET, RESET]),
    ["passed"],
  ],
  [
    "warns while certfarm keeps the former certificate",
    certfarmFarm([SHOP_FILE, fileWith("wrong-password", { inUse: { thumbprint: thumbprintOf(HOST) } })], [served(HOST), served(HOST)]),
    ["warning, certain: www.example.com.pfx cannot be opened with the password of the farm"],
  ],
  [
    "gathers the files of the same nodes",
    certfarmFarm([fileWith("wrong-password"), { ...fileWith("wrong-password"), name: `${SHOP}.pfx` }], [UNUSABLE, UNUSABLE]),
    [
      "error, certain: www.example.com.pfx cannot be opened with the password of the farm",
      "warning, certain: shop.example.com.pfx cannot be opened with the password of the farm",
    ],
  ],
];

test.each(rows)("%s", (_name, script, expected) => {
  expect(told(passwordWrong, script)).toEqual(expected);
});
