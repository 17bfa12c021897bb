import { expect, test } from "vitest";

import { type Script } from "../testing/examination.ts";
import { WELL, deep, told } from "../testing/wire-scripts.ts";
import { statusDiffers } from "./status-differs.ts";

const rows: [string, Script, string[]][] = [
  ["cannot look when nothing was dialled", {}, ["could-not-look"]],
  ["passes when all is well", { cells: { web1: WELL, web2: WELL } }, ["passed"]],
  [
    "names the node that turns the request away",
    deep([{}, { request: { status: 403 } }]),
    ["warning, likely: web2 answers 403 for www.example.com, other nodes 200"],
  ],
  ["says nothing when all answer alike", deep([{ request: { status: 404 } }, { request: { status: 403 } }]), ["passed"]],
  ["says nothing of a redirect", deep([{ request: { status: 302 } }, {}]), ["passed"]],
];
test.each(rows)("%s", (_name, script, expected) => {
  expect(told(statusDiffers, script)).toEqual(expected);
});
