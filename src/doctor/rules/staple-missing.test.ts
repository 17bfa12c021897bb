import { expect, test } from "vitest";

import { served, type Script } from "../testing/examination.ts";
import { SHOP_WELL } from "../testing/file-scripts.ts";
import { HOST, told } from "../testing/wire-scripts.ts";
import { stapleMissing } from "./staple-missing.ts";

const farm = (one: boolean, other: boolean, changes: Parameters<typeof served>[1] = {}): Script => ({
  cells: { web1: { [HOST]: served(HOST, { stapled: one }) }, web2: { [HOST]: served(HOST, { stapled: other, ...changes }) } },
});

const rows: [string, Script, string[]][] = [
  ["cannot look when no response was asked for", { cells: { web1: SHOP_WELL } }, ["could-not-look"]],
  ["passes when every node staples", farm(true, true), ["passed"]],
  ["passes when none does", farm(false, false), ["passed"]],
  ["names the node that does not", farm(true, false), ["warning, likely: web2 staples no OCSP response for www.example.com"]],
  ["compares the same certificate only", farm(true, false, { sha256: "0".repeat(64) }), ["passed"]],
];

test.each(rows)("%s", (_name, script, expected) => {
  expect(told(stapleMissing, script)).toEqual(expected);
});
