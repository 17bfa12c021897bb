import { expect, test } from "vitest";

import { centralFile } from "../testing/evidence.ts";
import { at, served, type Script } from "../testing/examination.ts";
import { certfarmFarm, certfarmFile, fileWith, SHOP_FILE, SHOP_WELL, UNUSABLE } from "../testing/file-scripts.ts";
import { HOST, told } from "../testing/wire-scripts.ts";
import { fileDamaged } from "./file-damaged.ts";

const minutesAgo = (minutes: number) => ({ modifiedAt: at(-minutes / 1_440) });
const torn = (minutes: number): Script => certfarmFarm([SHOP_FILE, fileWith("malformed", minutesAgo(minutes))], [UNUSABLE, UNUSABLE]);

const rows: [string, Script, string[]][] = [
  ["cannot look without a listing", { cells: { web1: SHOP_WELL } }, ["could-not-look"]],
  ["passes on files that can be used", certfarmFile("ok"), ["passed"]],
  ["is an error when the copy was broken off", torn(20), ["error, certain: www.example.com.pfx is damaged"]],
  ["is a notice while the copy may still run", torn(0.5), ["notice, certain: www.example.com.pfx is damaged"]],
  ["is an error when the file is dated in the future", torn(-20), ["error, certain: www.example.com.pfx is damaged"]],
  ["takes a file beyond the limits for damaged", certfarmFile("too-costly"), ["error, certain: www.example.com.pfx is damaged"]],
  ["takes a key without a certificate for damaged", certfarmFile("no-certificate"), ["error, certain: www.example.com.pfx is damaged"]],
  [
    "warns when another file of the host serves meanwhile",
    certfarmFarm([fileWith("malformed"), centralFile(`${HOST}.pem`, { label: HOST })], [served(HOST), served(HOST)]),
    ["warning, certain: www.example.com.pfx is damaged"],
  ],
];

test.each(rows)("%s", (_name, script, expected) => {
  expect(told(fileDamaged, script)).toEqual(expected);
});
