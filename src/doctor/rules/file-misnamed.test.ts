import { expect, test } from "vitest";

import { centralFile } from "../testing/evidence.ts";
import { RESET, type Script } from "../testing/examination.ts";
import { certfarmFarm, iisFarm, SHOP_FILE, SHOP_WELL, UNUSABLE } from "../testing/file-scripts.ts";
import { HOST, told } from "../testing/wire-scripts.ts";
import { fileMisnamed } from "./file-misnamed.ts";

const named = (name: string): Script => iisFarm([SHOP_FILE, centralFile(name, { label: HOST })], [RESET, RESET]);
const found = (name: string): string[] => [
  `error, certain: ${name} is not found for www.example.com: its name must be www.example.com.pfx`,
];

const rows: [string, Script, string[]][] = [
  ["cannot look without a listing", { cells: { web1: SHOP_WELL } }, ["could-not-look"]],
  ["passes on the right name in any case", named("WWW.Example.COM.pfx"), ["passed"]],
  ...[
    "*.example.com.pfx",
    "www.example.com-all.pfx",
    "www.example.com.p12",
    String.raw`old\www.example.com.pfx`,
    "www.example.com.pfx.pfx",
    "www.example.com - Copy.pfx",
    "www.example.com (1).pfx",
    "www.example.com_2026.pfx",
    "wildcard.example.com.pfx",
    "www.example.com.rsa.pfx",
  ].map((name): [string, Script, string[]] => [`knows ${name} for what it was meant to be`, named(name), found(name)]),
  ["finds any name by the certificate in the file", named("server 7.pfx"), found("server 7.pfx")],
  [
    "finds a missing www by the name alone",
    { ...iisFarm([SHOP_FILE, centralFile("example.com.pfx")], [RESET, RESET]), changes: {} },
    found("example.com.pfx"),
  ],
  ["does not guess against what the certificate says", iisFarm([SHOP_FILE, centralFile("example.com.pfx")], [RESET, RESET]), ["passed"]],
  [
    "says nothing on certfarm, which goes by the certificate",
    certfarmFarm([SHOP_FILE, centralFile("server 7.pfx", { label: HOST })], [UNUSABLE, UNUSABLE]),
    ["passed"],
  ],
  ["takes other extensions on certfarm", certfarmFarm([SHOP_FILE, centralFile(`${HOST}.p12`)], [UNUSABLE, UNUSABLE]), ["passed"]],
];

test.each(rows)("%s", (_name, script, expected) => {
  expect(told(fileMisnamed, script)).toEqual(expected);
});
