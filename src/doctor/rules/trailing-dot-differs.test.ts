import { expect, test } from "vitest";

import { RESET, served, wrong, type Script } from "../testing/examination.ts";
import { HOST, WELL, alert, deep, told } from "../testing/wire-scripts.ts";
import { trailingDotDiffers } from "./trailing-dot-differs.ts";

const rows: [string, Script, string[]][] = [
  ["cannot look when nothing was dialled", {}, ["could-not-look"]],
  ["passes when all is well", { cells: { web1: WELL, web2: WELL } }, ["passed"]],
  [
    "names the node that refuses it",
    deep([{ "trailing-dot": served(HOST) }, { "trailing-dot": alert("unrecognized_name") }]),
    ["notice, certain: web2 does not know www.example.com with a dot at the end, other nodes do"],
  ],
  [
    "names the node that answers with another certificate",
    deep([{ "trailing-dot": served(HOST) }, { "trailing-dot": wrong("default") }]),
    ["notice, certain: web2 does not know www.example.com with a dot at the end, other nodes do"],
  ],
  ["says nothing when all refuse it", deep([{ "trailing-dot": RESET }, { "trailing-dot": RESET }]), ["passed"]],
];
test.each(rows)("%s", (_name, script, expected) => {
  expect(told(trailingDotDiffers, script)).toEqual(expected);
});
