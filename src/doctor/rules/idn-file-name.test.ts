import { expect, test } from "vitest";

import { centralFile } from "../testing/evidence.ts";
import { RESET, type Script } from "../testing/examination.ts";
import { certfarmFarm, iisFarm, SHOP_FILE, SHOP_WELL, UNUSABLE } from "../testing/file-scripts.ts";
import { told } from "../testing/wire-scripts.ts";
import { idnFileName } from "./idn-file-name.ts";

const BOOKS = "xn--bcher-kva.example";
const named = (name: string): Script => iisFarm([SHOP_FILE, centralFile(name, { label: BOOKS })], [RESET, RESET], BOOKS);
const decomposed = "bücher.example.pfx".normalize("NFD");

const rows: [string, Script, string[]][] = [
  ["cannot look without a listing", { cells: { web1: SHOP_WELL } }, ["could-not-look"]],
  ["passes on the composed Unicode name", named("bücher.example.pfx".normalize("NFC")), ["passed"]],
  [
    "names a file under its A-label",
    named("xn--bcher-kva.example.pfx"),
    ["error, certain: IIS does not find xn--bcher-kva.example.pfx for xn--bcher-kva.example"],
  ],
  ["names a file in decomposed letters", named(decomposed), [`error, certain: IIS does not find ${decomposed} for xn--bcher-kva.example`]],
  [
    "passes on certfarm, which takes every spelling",
    certfarmFarm([SHOP_FILE, centralFile(decomposed, { label: BOOKS })], [UNUSABLE, UNUSABLE], BOOKS),
    ["passed"],
  ],
];

test.each(rows)("%s", (_name, script, expected) => {
  expect(told(idnFileName, script)).toEqual(expected);
});
